from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import NotFittedError

import bottega
from bottega.errors import BottegaError
from bottega.workflow import estimator_fit
from bottega.workflow.estimators import Classifier, Regressor

FAST = {"candidates": "fast"}


@pytest.fixture(scope="module")
def wine() -> tuple[Any, Any]:
    return load_wine(return_X_y=True)


def test_the_root_has_both() -> None:
    assert bottega.Classifier is Classifier
    assert bottega.Regressor is Regressor


def test_what_was_tried_and_chosen_is_in_the_card(wine: tuple[Any, Any]) -> None:
    card = Classifier(**FAST).fit(*wine).model.card
    assert [one.name for one in card.baselines] == ["most frequent class", "logistic regression", "nearest neighbours"]
    assert (card.chosen, card.test_source, card.metrics["accuracy"].n) == ("logistic regression", "cv", 89)
    assert card.data.n_per_part == {"train": 178, "val": 0, "test": 0}


def test_many_rows_are_judged_on_rows_that_were_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator_fit, "FEWEST_VALIDATION", 50)
    monkeypatch.setattr("bottega.workflow.candidates.FEWEST_VALIDATION", 50)
    X, y = load_diabetes(return_X_y=True)
    card = Regressor(**FAST).fit(X, y).model.card
    n_val = card.data.n_per_part["val"]
    assert 50 <= n_val <= 90
    assert card.data.n_per_part["train"] == len(y) - n_val
    assert card.test_source == "held-out"
    assert card.table is not None
    assert (card.table.coverage, card.table.guarantee) == (0.9, "split")


def test_intervals_hold_about_what_they_promise() -> None:
    X, y = load_diabetes(return_X_y=True)
    fitted = Regressor(**FAST).fit(X[::2], y[::2])
    low, high = fitted.predict_interval(X[1::2]).T
    assert 0.84 < np.mean((low <= y[1::2]) & (y[1::2] <= high)) < 0.96
    value = fitted.predict(X[1::2])
    assert ((low < value) & (value < high)).all()


@pytest.mark.parametrize(
    ("X", "y", "told"),
    [
        (np.arange(30.0), np.arange(30) // 30, "one class, '0': every answer will be that"),
        (np.arange(30.0), np.arange(30) // 29, "a single row of '1'"),
        (np.arange(12.0), np.arange(12) % 2, "12 rows to learn from"),
        (np.arange(30.0) + 2**30 + 1, np.arange(30) % 2, "whole numbers beyond 16,777,216 in 'x0'"),
    ],
)
def test_where_the_verbs_refuse_it_warns(X: Any, y: Any, told: str) -> None:
    with pytest.warns(UserWarning, match=f"{told}.*`bottega train` refuses") as seen:
        fitted = Classifier(**FAST).fit(X[:, None], y)
    assert seen[0].filename == __file__
    assert set(fitted.predict(X[:, None])) <= set(y)


def test_three_rows_are_answered_by_their_mean() -> None:
    with pytest.warns(UserWarning, match="3 rows"):
        fitted = Regressor().fit([[1.0], [2.0], [3.0]], [1.0, 2.0, 6.0])
    assert fitted.predict([[9.0]]).tolist() == [3.0]
    assert "too little to compare" in fitted.model.card.verdict


def test_an_empty_column_is_no_feature(wine: tuple[Any, Any]) -> None:
    X = np.c_[wine[0], np.full(len(wine[0]), np.nan)]
    fitted = Classifier(**FAST).fit(X, wine[1])
    assert len(fitted.model.columns) == 13
    assert fitted.n_features_in_ == 14
    assert fitted.score(X, wine[1]) > 0.9
    with pytest.raises(BottegaError, match="no value in any of 1 columns"):
        Classifier(**FAST).fit(X[:, 13:], wine[1])


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"candidates": "grdient boosting"}, "fix: did you mean 'gradient boosting'"),
        ({"candidates": []}, r"found: candidates=\[\]\nexpected: 'all', 'fast', or a list"),
        ({"metric": "acuracy"}, "found: metric='acuracy'\nexpected: one of 'accuracy'.*\nfix: metric='accuracy'"),
        ({"metric": "rmse"}, "found: metric='rmse'"),
        ({"n_jobs": 0}, "found: n_jobs=0\nexpected: a number of cores, -1 for all"),
    ],
)
def test_parameters_are_checked_in_fit(stated: dict[str, Any], said: str, wine: tuple[Any, Any]) -> None:
    with pytest.raises(BottegaError, match=said):
        Classifier(**stated).fit(*wine)


def test_refusals(wine: tuple[Any, Any], tmp_path: Path) -> None:
    fitted, path = Classifier(**FAST).fit(*wine), tmp_path / "wine.onnx"
    fitted.save(path)
    with pytest.raises(BottegaError, match=r"the model of a Classifier .*\nexpected: what Regressor.save wrote"):
        Regressor.load(path)
    with pytest.raises(BottegaError, match="No such file"):
        Classifier.load(tmp_path / "none.onnx")
    with pytest.raises(BottegaError, match="cannot be written: No such file or directory"):
        fitted.save(tmp_path / "none" / "wine.onnx")
    with pytest.raises(BottegaError, match="requires y to be passed, but the target y is None"):
        Classifier().fit(wine[0], None)
    with pytest.raises(NotFittedError):
        _ = Classifier().model
    with pytest.raises(NotFittedError):
        Classifier().save(path)
    with pytest.raises(BottegaError, match="found: no rows"):
        Classifier(**FAST).fit(np.zeros((0, 2), dtype="U1"), [])
