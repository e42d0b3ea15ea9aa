"""A telling column beside many features that each tell little."""

import numpy as np

from bottega.data.text_characters import fit_text_preparation
from bottega.evaluation.forms import Softmax
from bottega.workflow.candidates import Spec, answer
from bottega.workflow.text_features import character_codes, term_counts
from bottega.workflow.text_specs import TextTask, text_specs
from bottega.workflow.text_task import SENTENCE

FIT, VAL, TEST = slice(0, 300), slice(300, 450), slice(450, 900)


def made(*, telling: float) -> tuple[np.ndarray, np.ndarray]:
    """1,000 features of which 60 tell a little, and a column that is right so often."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 900)
    features = rng.normal(0, 1, (900, 1000)) + 0.15 * (2 * y - 1)[:, None] * (np.arange(1000) < 60)
    column = np.where(rng.random(900) < telling, 2 * y - 1, 1 - 2 * y)
    return np.hstack([features, column[:, None]]).astype(np.float32), y.astype(np.int64)


def spec_of(n_columns: int) -> Spec:
    prepared = fit_text_preparation(["a b"])
    codes = character_codes(["a b"] * 3, prepared)
    task = TextTask(prepared, codes, term_counts(codes, prepared), 2, n_columns=n_columns)
    return next(spec for spec in text_specs(task, [SENTENCE], "columns")[0] if spec.name == "columns")


def accuracy(n_columns: int, x: np.ndarray, y: np.ndarray) -> float:
    spec = spec_of(n_columns)
    setting, form = spec.tune(x[FIT], y[FIT], x[VAL], y[VAL])
    assert isinstance(form, Softmax)
    found = answer(form, x[TEST], 2)
    again = answer(spec.fit(x[FIT], y[FIT], setting), x[TEST], 2)
    assert (again.argmax(1) == found.argmax(1)).mean() > 0.98
    return float((found.argmax(1) == y[TEST]).mean())


def test_a_telling_column_is_not_drowned_by_many_features() -> None:
    x, y = made(telling=0.9)
    assert accuracy(1, x, y) > accuracy(0, x, y) + 0.05


def test_a_column_that_tells_nothing_does_little_harm() -> None:
    x, y = made(telling=0.5)
    assert accuracy(1, x, y) >= accuracy(0, x[:, :-1], y) - 0.03
