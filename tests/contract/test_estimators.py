"""The estimators keep scikit-learn's contract: all of its own checks, and what its tools do with an estimator."""

import copy
import json
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import bottega
from bottega.models.table_plans import TABLE_PLANS
from bottega.training import table_fit
from bottega.workflow.estimators import Classifier, Regressor

CLASSICAL = ("nearest neighbours", "random forest", "support vector machine", "gradient boosting")


@pytest.mark.filterwarnings("ignore:.*`bottega train` refuses:UserWarning")
@parametrize_with_checks([Classifier(candidates="fast"), Regressor(candidates="fast")])
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def wine() -> tuple[Any, Any]:
    return load_wine(return_X_y=True)


def test_in_a_pipeline_a_search_and_cross_validation() -> None:
    X, y = wine()
    chain = make_pipeline(StandardScaler(), Classifier(candidates="fast"))
    assert cross_val_score(chain, X, y, cv=3).mean() > 0.9
    grid = {"candidates": [["most frequent class"], "fast"]}
    found = GridSearchCV(Classifier(), grid, cv=3).fit(X, y)
    assert found.best_params_ == {"candidates": "fast"}
    assert cross_val_score(Regressor(candidates="fast"), *load_diabetes(return_X_y=True), cv=3).mean() > 0.4


@pytest.mark.parametrize("name", [*CLASSICAL, *TABLE_PLANS])
@pytest.mark.parametrize("kind", [Classifier, Regressor])
def test_one_row_gets_the_bits_it_gets_among_others(kind: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_fit, "MAX_EPOCHS", 3)
    X, y = wine()
    fitted = kind(candidates=[name]).fit(X, y)
    ask = fitted.predict_proba if kind is Classifier else fitted.predict
    together = ask(X)
    turned = np.roll(np.arange(len(X)), 37)
    np.testing.assert_array_equal(ask(X[turned]), together[turned])
    np.testing.assert_array_equal(np.concatenate([ask(X[i : i + 1]) for i in range(0, len(X), 20)]), together[::20])


def test_a_copy_carries_a_file_and_plain_values_alone() -> None:
    X, y = wine()
    fitted = Classifier(candidates=["random forest"]).fit(X, y)
    pickled = pickle.dumps(fitted)
    named = {str(arg).split()[0] for code, arg, _ in pickletools.genops(pickled) if code.name == "GLOBAL"}
    texts = [str(arg) for code, arg, _ in pickletools.genops(pickled) if code.name.endswith("UNICODE")]
    modules = {
        text for text in [*named, *texts] if text.split(".")[0] in ("sklearn", "torch", "onnxruntime", "bottega")
    }
    assert modules == {"bottega.workflow.estimators"}
    for copied in (pickle.loads(pickled), copy.deepcopy(fitted)):
        np.testing.assert_array_equal(copied.predict_proba(X), fitted.predict_proba(X))
    assert not hasattr(clone(fitted), "file_")


@pytest.mark.parametrize("y", [np.array([0.0, 1.5, 2.0]), np.array([True, False, True]), np.array(["é", "", "b"])])
def test_a_saved_estimator_comes_back_whole(y: Any, tmp_path: Path) -> None:
    X, indices = wine()
    y = np.array(y)[indices]
    if y.dtype == float:
        y = y * 2  # 1.5 alone would be a target of values
    fitted = Classifier(candidates="fast", metric="log_loss", random_state=3).fit(X, y)
    path = tmp_path / "wine.onnx"
    fitted.save(path)
    back = Classifier.load(path)
    assert back.get_params() == fitted.get_params()
    np.testing.assert_array_equal(back.classes_, fitted.classes_)
    assert back.classes_.dtype == fitted.classes_.dtype
    np.testing.assert_array_equal(back.predict(X), fitted.predict(X))
    assert bottega.check(path).passed
    card = bottega.load(path).card
    assert "no test part was kept" in card.verdict
    json.dumps(card.recipe)


def test_the_order_of_rows_changes_nothing() -> None:
    X, y = wine()
    turned = np.random.default_rng(0).permutation(len(y))
    one, other = (Classifier(candidates="fast").fit(X[rows], y[rows]) for rows in (np.arange(len(y)), turned))
    assert one.file_ == other.file_


def mixed_frames() -> tuple[Any, Any, Any]:
    pd = pytest.importorskip("pandas")
    n = 200
    words, days = [("a", "b", None, "d")[i % 4] for i in range(n)], pd.date_range("2020-01-01", periods=n)
    numbers, flags = [float("nan"), *(float(i) for i in range(n - 1))], [i % 3 == 0 for i in range(n)]
    own = {"number": numbers, "word": words, "flag": flags}
    frame = pd.DataFrame({**own, "day": days})
    other = pl.DataFrame({**own, "number": [None, *numbers[1:]], "day": days.date.tolist()})
    return frame, other, np.where([word == "a" for word in words], "yes", "no")


def test_frames_of_pandas_and_polars_are_one_and_the_same() -> None:
    frame, other, y = mixed_frames()
    fitted = Classifier(candidates="fast").fit(frame, y)
    assert fitted.score(frame, y) == 1
    assert fitted.feature_names_in_.tolist() == ["number", "word", "flag", "day"]
    np.testing.assert_array_equal(fitted.predict_proba(other), fitted.predict_proba(frame))
    assert Classifier(candidates="fast").fit(other, y).file_ == fitted.file_


def test_a_saved_file_answers_the_verbs_as_the_estimator_does(tmp_path: Path) -> None:
    _, frame, y = mixed_frames()
    fitted = Classifier(candidates="fast").fit(frame, y)
    fitted.save(tmp_path / "model.onnx")
    answers = bottega.load(tmp_path / "model.onnx")(frame)
    found = [list(answer.probabilities.values()) for answer in answers]
    np.testing.assert_allclose(found, fitted.predict_proba(frame), atol=1e-6)
