"""The sentence network's last layers: torch and the operators agree, and training moves the answers as it should."""

from functools import cache

import numpy as np
import pytest
import torch

from bottega.data.text_codes import coded_texts
from bottega.models.encoder import UpperLayers
from bottega.shipping.minilm import minilm_classifier_graph
from bottega.training.encoder_fit import HeldStates, _padded, fit_upper_layers
from bottega.training.precision import working
from bottega.workflow.text_features import piece_states
from text_material import made_up_weights, run

N, N_PIECES, LAST = 96, 40, 2
N_FIT = 64


@cache
def weights():
    return made_up_weights(N_PIECES)


def pieces(seed=0):
    """Rows of pieces, 0 behind the end; the class is whether piece 7 is among them."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((N, 14), np.uint16)
    for i, row in enumerate(rows):
        n = rng.integers(2, 14)
        row[:n] = rng.integers(10, N_PIECES, n)
        if i % 2:
            row[rng.integers(0, n)] = 7
    return rows, np.arange(N) % 2


def states(x):
    return piece_states(as_read(x), weights(), 6 - LAST, threads=1)


def as_read(x):
    return coded_texts([x], np.arange(len(x)))


def graph(fitted, x):
    tuned = minilm_classifier_graph({**weights(), **fitted.weights}, fitted.head, fitted.bias)
    return run(tuned, x=x.astype(np.float32))[0]


@cache
def fitted():
    x, y = pieces()
    below = states(x)
    with working(1, 0):
        held = HeldStates(below[N_FIT:], y[N_FIT:])
        return fit_upper_layers(below[:N_FIT], y[:N_FIT], weights(), LAST, n_classes=3, until=held)


def test_torch_and_the_operators_agree_after_training():
    x, _ = pieces(1)
    found = fitted()
    network = UpperLayers({**weights(), **found.weights}, LAST, 3)
    network.head.weight.data, network.head.bias.data = (
        torch.from_numpy(found.head.T.copy()),
        torch.from_numpy(found.bias),
    )
    network.eval()
    with torch.inference_mode():
        expected = network(*_padded(states(x))).numpy()
    answers = graph(found, x)
    assert np.abs(answers - expected).max() < 5e-3  # the states below were kept as 16-bit numbers
    alone = np.concatenate([graph(found, x[i : i + 1]) for i in range(4)])
    assert np.abs(alone - answers[:4]).max() < 1e-4
    assert not (answers.argmax(1) == 2).any()  # no row had this class


def test_training_changes_the_last_layers_alone_and_lowers_the_loss():
    found = fitted()
    assert {name.split(".")[2] for name in found.weights} == {"4", "5"}
    moved = [np.abs(array - weights()[name]).max() for name, array in found.weights.items()]
    assert min(moved) > 0
    assert found.epoch == 1 + int(np.argmin(found.losses))
    assert min(found.losses) < 0.72


def test_so_many_epochs_without_validation_are_the_same_network():
    x, y = pieces()
    found = fitted()
    with working(1, 0):
        again = fit_upper_layers(states(x[:N_FIT]), y[:N_FIT], weights(), LAST, n_classes=3, until=found.epoch)
    np.testing.assert_array_equal(found.head, again.head)


@pytest.mark.parametrize("threads", [1, 2])
def test_states_do_not_depend_on_the_batch(threads):
    x, _ = pieces()
    together = piece_states(as_read(x), weights(), 2, threads=threads)
    alone = piece_states(as_read(x)[3:4], weights(), 2, threads=1)[0]
    assert together[3].shape == ((x[3] > 0).sum(), 384)
    assert np.abs(together[3].astype(float) - alone).max() < 1e-2
