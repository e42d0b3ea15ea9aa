"""Networks of texts learn what they are for, and the operators answer as torch does."""

import numpy as np
import pytest
import torch

from bottega.data.text_characters import fit_text_preparation
from bottega.data.text_tokens import fit_vocabulary
from bottega.models.text_plans import TEXT_PLANS
from bottega.models.texts import TextNet
from bottega.shipping.text_networks import text_network_graph
from bottega.training import text_fit
from bottega.training.text_fit import HeldTexts, fit_text_network
from bottega.workflow.text_features import character_codes, numbered_tokens, token_keys
from text_material import TORTURE, run

N_FIT = 400


def sentences(n=600, seed=0):
    """The same words in each text; who is first, the cat or the dog, is the class."""
    rng = np.random.default_rng(seed)
    fillers = "the a in house saw and big small then near".split()
    texts, y = [], []
    for i in range(n):
        first, second = ("cat", "dog") if i % 2 else ("dog", "cat")
        words = list(rng.choice(fillers, 6))
        at = rng.integers(0, 5)
        texts.append(" ".join([*words[:at], first, "chases", second, *words[at:]]))
        y.append(i % 2)
    return texts, np.array(y)


def material(*, pairs):
    texts, y = sentences()
    prepared = fit_text_preparation(texts[:N_FIT])
    codes = character_codes(texts, prepared)
    vocabulary = fit_vocabulary([token_keys(codes[:N_FIT], prepared)], pairs=pairs)
    return prepared, vocabulary, numbered_tokens(codes, prepared, vocabulary), y


def fit(plan, tokens, y, vocabulary, until, n_classes=2):
    n = vocabulary.n_tokens
    return fit_text_network(tokens, y, TEXT_PLANS[plan], n, n_classes=n_classes, seed=1, until=until)


def scores(form, prepared, vocabulary, texts):
    codes = character_codes(texts, prepared).matrix()
    return run(text_network_graph(prepared, vocabulary, form), x=codes)[0]


@pytest.mark.parametrize("plan", ["convolutional network", "LSTM"])
def test_the_order_of_words_is_learned(plan):
    prepared, vocabulary, tokens, y = material(pairs=False)
    fitted = fit(plan, tokens[:N_FIT], y[:N_FIT], vocabulary, HeldTexts(tokens[N_FIT:], y[N_FIT:]))
    found = scores(fitted.form, prepared, vocabulary, sentences()[0][N_FIT:]).argmax(1)
    assert (found == y[N_FIT:]).mean() > 0.95
    assert fitted.loss < 0.2


def test_a_bag_needs_pairs_for_that():
    reached = []
    for pairs in (False, True):
        prepared, vocabulary, tokens, y = material(pairs=pairs)
        fitted = fit("bag of embeddings", tokens[:N_FIT], y[:N_FIT], vocabulary, 8)
        found = scores(fitted.form, prepared, vocabulary, sentences()[0][N_FIT:]).argmax(1)
        reached.append((found == y[N_FIT:]).mean())
    assert reached[0] < 0.65 < 0.95 < reached[1]


@pytest.mark.parametrize("plan", TEXT_PLANS)
def test_the_graph_answers_as_torch_does_however_awkward_the_text(plan, monkeypatch):
    texts = [*TORTURE, *sentences(40)[0], "zzz yyy xxx", "cat " * 400]
    prepared = fit_text_preparation(texts)
    codes = character_codes(texts, prepared)
    bag = plan == "bag of embeddings"
    vocabulary = fit_vocabulary([token_keys(codes[len(TORTURE) :], prepared)], pairs=bag)
    tokens = numbered_tokens(codes, prepared, vocabulary)
    kept = []
    train = text_fit._train

    def keep(network, *stated):
        kept.append(network)
        return train(network, *stated)

    monkeypatch.setattr(text_fit, "_train", keep)
    fitted = fit(plan, tokens, np.arange(len(texts)) % 3, vocabulary, 2, n_classes=3)
    assert isinstance(kept[0], TextNet)
    with torch.inference_mode():
        expected = kept[0](text_fit._packed(tokens)).numpy()
    found = scores(fitted.form, prepared, vocabulary, texts)
    assert np.abs(found - expected).max() < 1e-5
    some = [0, 3, texts.index("don't!!!..."), len(texts) - 2]
    alone = np.concatenate([scores(fitted.form, prepared, vocabulary, [texts[i]]) for i in some])
    assert np.abs(found[some] - alone).max() < 1e-5
    assert scores(fitted.form, prepared, vocabulary, ["", ""]).shape == (2, 3)


@pytest.mark.parametrize("plan", TEXT_PLANS)
def test_the_same_epoch_without_validation_is_the_same_network(plan):
    _, vocabulary, tokens, y = material(pairs=False)
    held = HeldTexts(tokens[N_FIT:], y[N_FIT:])
    fitted = fit(plan, tokens[:64], y[:64], vocabulary, held)
    again = fit(plan, tokens[:64], y[:64], vocabulary, fitted.epoch)
    np.testing.assert_array_equal(fitted.form.weight, again.form.weight)


def test_a_class_without_rows_is_never_answered():
    prepared, vocabulary, tokens, y = material(pairs=False)
    fitted = fit("bag of embeddings", tokens[:64], 2 * y[:64], vocabulary, 1, n_classes=3)
    assert not (scores(fitted.form, prepared, vocabulary, list(TORTURE)).argmax(1) == 1).any()


def test_torch_keeps_its_own_random_numbers():
    _, vocabulary, tokens, y = material(pairs=False)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    fit("bag of embeddings", tokens[:64], y[:64], vocabulary, 1)
    assert torch.rand(1) == expected
