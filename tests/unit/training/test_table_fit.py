"""Networks learn small real tables, keep their best epoch, and leave torch's generator alone."""

import numpy as np
import pytest
import torch
from onnxruntime import InferenceSession

from bottega.evaluation.table_models import fit_dense
from bottega.models.table_plans import TABLE_PLANS
from bottega.shipping.tails import dense_model, tail_model
from bottega.training import table_fit
from bottega.training.table_fit import Held, fit_table_network, layout_of
from table_material import mixed

N_FIT = 300


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(table_fit, "MAX_EPOCHS", 25)


def material(name):
    table = mixed(name)
    x = table.encoded()
    stage = fit_dense(x[:N_FIT], table.prepared.n_codes)
    z = InferenceSession(dense_model(stage, x.shape[1])).run(None, {"x": x})[0]
    y = table.y if name != "values" else ((table.y - table.y.mean()) / table.y.std()).astype(np.float32)
    return z, y, layout_of(stage)


def fit(name, plan, **stated):
    z, y, layout = material(name)
    n_classes = None if name == "values" else 2
    return fit_table_network(
        Held(z[:N_FIT], y[:N_FIT]), TABLE_PLANS[plan], layout, n_classes=n_classes, seed=1, **stated
    )


def answers(fitted, z, n):
    return InferenceSession(tail_model(fitted.form, z.shape[1], n)).run(None, {"x": z})[0]


def test_the_layout_says_which_columns_belong_together():
    z, _, layout = material("two classes")
    assert layout.n_number + sum(layout.groups) == z.shape[1]


@pytest.mark.parametrize("plan", TABLE_PLANS)
def test_each_network_learns(plan):
    z, y, _ = material("two classes")
    fitted = fit("two classes", plan, until=Held(z[N_FIT:], y[N_FIT:]))
    assert (answers(fitted, z[N_FIT:], 2).argmax(1) == y[N_FIT:]).mean() > 0.88
    z, y, _ = material("values")
    fitted = fit("values", plan, until=Held(z[N_FIT:], y[N_FIT:]))
    assert np.square(answers(fitted, z[N_FIT:], 1)[:, 0] - y[N_FIT:]).mean() == pytest.approx(fitted.loss, rel=1e-3)
    assert fitted.loss < 0.85 * np.square(y[N_FIT:]).mean()


def test_the_same_epoch_without_validation_is_the_same_network():
    z, y, _ = material("two classes")
    kept = fit("two classes", "TabM", until=Held(z[N_FIT:], y[N_FIT:]))
    again = fit("two classes", "TabM", until=kept.epoch)
    np.testing.assert_array_equal(answers(kept, z, 2), answers(again, z, 2))
    assert kept.epoch <= kept.epochs == 25


def test_torchs_own_generator_is_left_as_it_was():
    torch.manual_seed(4)
    before = torch.get_rng_state()
    fit("two classes", "MLP", until=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_one_row_is_enough_to_run():
    z, y, layout = material("two classes")
    fitted = fit_table_network(Held(z[:1], y[:1]), TABLE_PLANS["TabM"], layout, n_classes=2, seed=0, until=2)
    assert np.isfinite(answers(fitted, z, 2)).all()
