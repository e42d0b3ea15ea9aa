"""The mixture of the best, and that nobody is fitted twice."""

import threading

import numpy as np
import pytest
from scipy.special import softmax

from bottega.evaluation.table_forms import Mixture
from bottega.evaluation.table_models import Rows
from bottega.workflow.candidates import Spec
from bottega.workflow.mixture import LEAST_SHARE, N_DRAWS, Remembered, _greedy, _shares, mixture_spec
from bottega.workflow.table_specs import TableTask, table_specs
from table_material import mixed

N_FIT = 150


def counting(spec, counts):
    def fit(x, y, setting):
        counts[spec.name] = counts.get(spec.name, 0) + 1
        return spec.fit(x, y, setting)

    return Spec(spec.name, spec.kind, spec.view, fit, lambda x, y, *_: (spec.tune(x, y, *_)[0], None))


def prepared(name):
    table = mixed(name)
    n_classes = None if name == "values" else 2
    task = TableTask(table.prepared.n_codes, n_classes, seed=0, threads=1)
    counts: dict[str, int] = {}
    specs = {spec.name: spec for spec in table_specs(task, N_FIT, 20)[0]}
    picked = [
        specs[key] for key in specs if key.endswith("regression") or key in ("random forest", "gradient boosting")
    ]
    return table.encoded(), table.y, task, [Remembered(counting(spec, counts)) for spec in picked], counts


@pytest.mark.parametrize("name", ["two classes", "values"])
def test_it_is_no_worse_than_its_best_member_where_it_was_weighed(name):
    x, y, task, members, counts = prepared(name)
    parts = x[:N_FIT], y[:N_FIT], x[N_FIT:], y[N_FIT:]
    alone = [task.loss(member.spec.tune(*parts)[1], Rows(*parts[2:])) for member in members]
    setting, form = mixture_spec(task, members).tune(*parts)
    assert task.loss(form, Rows(*parts[2:])) <= min(alone) * 1.0001
    assert sum(setting["weights"].values()) == pytest.approx(1)
    assert min(setting["weights"].values()) >= LEAST_SHARE
    assert set(counts.values()) == {1}


def test_few_rows_alone_give_nobody_all_the_weight():
    """Ten members that are mostly wrong together: one draw after the other on the few rows at hand picks lucky ones."""
    rng = np.random.default_rng(0)

    def off_by(n):
        return rng.normal(size=n) + 0.5 * rng.normal(size=(10, n))

    better = []
    for _ in range(20):
        seen, elsewhere = off_by(30), off_by(1000)
        weights = _shares(seen[:, :, None], np.zeros(30), np.ones(30), is_class=False)
        greedy = _greedy(seen, np.ones(30), is_class=False) / N_DRAWS
        assert weights.sum() == pytest.approx(1)
        better.append(np.square(weights @ elsewhere).mean() < np.square(greedy @ elsewhere).mean())
    assert sum(better) > 15


@pytest.mark.parametrize(("apart", "helps"), [(0.008, False), (0.1, True)])
def test_who_is_hardly_helped_ships_alone(apart, helps):
    """Two that are as good: what their errors share no mean takes away."""
    rng = np.random.default_rng(0)
    y, shared = rng.normal(size=4000), 0.1 * rng.normal(size=4000)
    answers = y + shared + apart * rng.normal(size=(2, 4000))
    weights = _shares(answers[:, :, None], y, np.ones(4000), is_class=False)
    assert weights.max() == (pytest.approx(0.5, abs=0.1) if helps else 1)


def test_rows_of_classes_that_training_never_saw_do_not_count():
    answers = np.array([[[0.9, 0.1], [0.9, 0.1]], [[0.1, 0.9], [0.1, 0.9]]])
    assert _shares(answers, np.array([1, -1]), np.ones(2), is_class=True).tolist() == [0, 1]
    assert _shares(answers, np.array([-1, -1]), np.ones(2), is_class=True).tolist() == [1, 0]


def test_its_answer_is_the_weighted_mean_of_probabilities():
    x, y, task, members, _ = prepared("two classes")
    forms = tuple(member.spec.tune(x[:N_FIT], y[:N_FIT], x[N_FIT:], y[N_FIT:])[1] for member in members)
    weights = (0.5, 0.25, 0.25)
    found = softmax(task.answer(Mixture(forms, weights, is_share=True), x), 1)
    expected = sum(w * softmax(task.answer(form, x), 1) for w, form in zip(weights, forms, strict=True))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_fitted_on_other_rows_it_fits_the_members_that_have_weight_once():
    x, y, task, members, counts = prepared("two classes")
    spec = mixture_spec(task, members)
    setting, _ = spec.tune(x[:N_FIT], y[:N_FIT], x[N_FIT:], y[N_FIT:])
    counts.clear()
    spec.fit(x[20:], y[20:], setting)
    spec.fit(x[20:], y[20:], setting)
    assert counts == dict.fromkeys(setting["weights"], 1)


def test_two_threads_that_ask_at_once_get_one_fit():
    began, may_end, n_fits = threading.Event(), threading.Event(), []

    def fit(*_):
        n_fits.append(1)
        began.set()
        may_end.wait(5)
        return "form"

    member = Remembered(Spec("slow", "baseline", "view", fit))
    x, y, found = np.zeros((2, 1), np.float32), np.zeros(2), []
    threads = [threading.Thread(target=lambda: found.append(member.fit(x, y, {}))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert began.wait(5)
    may_end.set()
    for thread in threads:
        thread.join()
    assert found == ["form"] * 3
    assert len(n_fits) == 1


def test_a_fit_that_failed_fails_for_all_who_ask():
    def fit(*_):
        raise ValueError("too odd")

    member = Remembered(Spec("odd", "baseline", "view", fit))
    for _ in range(2):
        with pytest.raises(ValueError, match="too odd"):
            member.fit(np.zeros((1, 1), np.float32), np.zeros(1), {})
