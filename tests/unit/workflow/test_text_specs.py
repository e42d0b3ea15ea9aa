"""The candidates on made-up texts: what they learn, and that the operators answer as the sparse rows do."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bottega.data.text_characters import fit_text_preparation
from bottega.evaluation.text_models import FittedTerms, fit_svm, fit_terms, side_by_side
from bottega.models.sentence import SentenceNetwork
from bottega.shipping.text_tails import TermWeights, text_scores_graph
from bottega.workflow.candidates import Spec, answer
from bottega.workflow.text_features import character_codes, term_counts
from bottega.workflow.text_specs import BOTH, CODES, SENTENCE, TextTask, text_specs
from text_material import made_up_texts, matrix_graph, run

N_FIT, N_VAL = 300, 60
WIDE = 8  # of the made-up sentence features


@cache
def material() -> tuple[TextTask, dict[str, Any], np.ndarray]:
    texts, labels = made_up_texts(400)
    prepared = fit_text_preparation(texts[:N_FIT])
    codes = character_codes(texts, prepared)
    y = np.array([label == "praise" for label in labels]).astype(np.int64)
    features = np.random.default_rng(1).normal(0, 1, (len(y), WIDE)).astype(np.float32) + y[:, None]
    views = {CODES: codes, SENTENCE: features, BOTH: codes.beside(features)}
    return TextTask(prepared, codes, term_counts(codes, prepared), 2), views, y


def specs() -> dict[str, Spec]:
    task, views, _ = material()
    return {spec.name: spec for spec in text_specs(task, list(views))[0]}


NAMES = (
    "words, naive Bayes", "words, logistic regression", "words, support vectors", "characters, support vectors",
    "words and characters", "bag of embeddings", "sentence network", "sentence network and words",
)  # fmt: skip


@pytest.mark.parametrize("n_columns", [0, 2])
def test_what_was_tuned_on_one_class_is_fitted_on_two(n_columns: int) -> None:
    """As in a cross-validation whose first fold holds all texts of a class."""
    task, views, y = material()
    first = np.flatnonzero(y == 0)[:40]
    second = np.concatenate([first, np.flatnonzero(y == 1)[:40]])
    for spec in text_specs(replace(task, n_columns=n_columns), list(views))[0]:
        x = views[spec.view]
        setting, _ = spec.tune(x[first], y[first], x[second], y[second])
        scores = answer(spec.fit(x[second], y[second], setting), x[second], 2)
        assert scores.shape == (80, 2), spec.name


def test_texts_without_a_word_are_no_reason_to_fail() -> None:
    """As in a fold whose training texts are all empty; the others are not."""
    texts = [""] * 40 + made_up_texts(20)[0]
    prepared = fit_text_preparation(texts[:40])
    codes = character_codes(texts, prepared)
    y = np.arange(60) % 2
    features = np.random.default_rng(0).normal(size=(60, WIDE)).astype(np.float32)
    views = {CODES: codes, SENTENCE: features, BOTH: codes.beside(features)}
    task = TextTask(prepared, codes, term_counts(codes, prepared), 2)
    for spec in text_specs(task, list(views))[0]:
        x = views[spec.view]
        setting, form = spec.tune(x[:40], y[:40], x[40:], y[40:])
        for one in (form, spec.fit(x[:40], y[:40], setting)):
            assert one is None or np.isfinite(answer(one, x, 2)).all(), spec.name


@pytest.mark.parametrize("name", NAMES)
def test_every_candidate_learns_and_fits_again_as_it_was_tuned(name: str) -> None:
    _, views, y = material()
    spec = specs()[name]
    x = views[spec.view]
    val = slice(N_FIT, N_FIT + N_VAL)
    setting, form = spec.tune(x[:N_FIT], y[:N_FIT], x[val], y[val])
    assert form is not None
    scores = answer(form, x[N_FIT + N_VAL :], 2)
    assert (scores.argmax(1) == y[N_FIT + N_VAL :]).mean() > 0.8
    again = answer(spec.fit(x[:N_FIT], y[:N_FIT], setting), x[N_FIT + N_VAL :], 2)
    np.testing.assert_allclose(again, scores, atol=1e-3)


@pytest.mark.parametrize("kind", ["words", "tokens", "runs"])
def test_operators_and_sparse_rows_make_the_same_matrix(kind) -> None:  # type: ignore[no-untyped-def]
    task, _, _ = material()
    texts, _ = made_up_texts(400)
    fitted = fit_terms(task.counts, np.arange(N_FIT), kind)
    sparse = fitted.matrix(task.counts, np.arange(400)).toarray()
    assert np.abs(run(matrix_graph(task.prepared, fitted.terms), text=texts)[0] - sparse).max() < 1e-6
    assert fitted.terms.n_terms == sparse.shape[1]


def test_scores_of_the_graph_are_those_of_the_layer() -> None:
    task, views, y = material()
    blocks: list[FittedTerms] = [fit_terms(task.counts, np.arange(N_FIT), kind) for kind in ("words", "runs")]
    x = side_by_side(blocks, task.counts, np.arange(N_FIT))
    layer = fit_svm(x, y[:N_FIT], 2, 1.0)
    cut = blocks[0].terms.n_terms
    weights = [TermWeights(blocks[0].terms, layer.weight[:cut]), TermWeights(blocks[1].terms, layer.weight[cut:])]
    graph = text_scores_graph(task.prepared, weights, layer.bias)
    found = run(graph, x=views[CODES][:N_FIT].matrix())[0]
    assert np.abs(found - layer.scores(x)).max() < 1e-4


def test_a_class_that_the_rows_lack_is_never_answered() -> None:
    task, views, y = material()
    three = TextTask(task.prepared, task.codes, task.counts, 3)
    for spec in text_specs(three, [CODES])[0]:
        form = spec.fit(views[CODES][:100], y[:100], {"strength": 1.0, "epoch": 2})
        scores = answer(form, views[CODES][100:120], 3)
        assert np.isfinite(scores).all()
        assert not (scores.argmax(1) == 2).any()


def test_one_class_alone_is_answered() -> None:
    task, views, y = material()
    rows = np.flatnonzero(y == 1)[:40]
    for spec in text_specs(task, list(views))[0]:
        x = views[spec.view][rows]
        setting, form = spec.tune(x, y[rows], x, y[rows])
        form = form or spec.fit(x, y[rows], setting)
        assert (answer(form, x[:3], 2).argmax(1) == 1).all()


def test_many_classes_leave_logistic_regression_out() -> None:
    task, _, _ = material()
    specs, left_out = text_specs(TextTask(task.prepared, task.codes, task.counts, 30), [CODES])
    assert left_out[-1][0].name == "words, logistic regression"
    assert "30 classes" in left_out[-1][1]
    assert "words, logistic regression" not in [spec.name for spec in specs]


@pytest.mark.parametrize(
    ("stated", "tried"),
    [
        ({}, ["bag of embeddings"]),
        ({"in_folds": True}, []),
        ({"preset": "accurate", "in_folds": True}, ["bag of embeddings", "convolutional network", "LSTM"]),
        ({"wanted": "lstm"}, ["LSTM"]),
        ({"asked": "convolutional network"}, ["bag of embeddings", "convolutional network"]),
    ],
)
def test_what_is_asked_for_decides_which_networks_are_trained(stated: dict[str, Any], tried: list[str]) -> None:
    task, _, _ = material()
    specs, left_out = text_specs(replace(task, **stated), [CODES])
    assert [spec.name for spec in specs if spec.kind == "network"] == tried
    assert all(why.startswith("not tried: ") for _, why in left_out)
    assert len(tried) + len(left_out) == 3


def test_slow_networks_are_left_out_by_what_they_would_read() -> None:
    task, _, _ = material()
    accurate = replace(task, preset="accurate")
    short = {spec.name: why for spec, why in text_specs(replace(accurate, time_seconds=3.0), [CODES])[1]}
    assert list(short) == ["convolutional network", "LSTM"]
    assert re.fullmatch(r"not tried: it would take about \d+ s, too much of --time", short["LSTM"])
    folds = replace(accurate, in_folds=True, n_classes=2)
    assert folds.seconds("LSTM") == pytest.approx(60 * accurate.seconds("LSTM"))
    assert replace(task, asked="LSTM", time_seconds=3.0).why_not("LSTM", "network") is None


def test_the_bag_is_left_to_accurate_where_the_sentence_network_is_there(tmp_path: Path) -> None:
    task, views, _ = material()
    network = SentenceNetwork(tmp_path, (), "")
    specs, _ = text_specs(replace(task, network=network), list(views))
    assert [spec.name for spec in specs if spec.kind == "network"] == ["sentence network", "sentence network and words"]


@pytest.mark.parametrize(
    ("stated", "costly"),
    [({}, 2), ({"preset": "accurate"}, 0), ({"wanted": "pretrained"}, 0), ({"asked": "network"}, 0),
     ({"asked": "sentence network"}, 1), ({"n_columns": 2}, 0)],
)  # fmt: skip
def test_sentence_features_wait_for_the_others_unless_they_were_asked_for(
    stated: dict[str, Any], costly: int, tmp_path: Path
) -> None:
    task, views, _ = material()
    found = text_specs(replace(task, network=SentenceNetwork(tmp_path, (), ""), **stated), list(views))[0]
    assert sum(spec.costly for spec in found) == costly


def test_sentence_features_of_many_texts_are_left_out_of_a_short_run(tmp_path: Path) -> None:
    task, views, _ = material()
    short = replace(task, network=SentenceNetwork(tmp_path, (), ""), time_seconds=2.0)
    left_out = {spec.name: why for spec, why in text_specs(short, list(views))[1]}
    assert re.fullmatch(r"not tried: it would take about \d+ s, too much of --time", left_out["sentence network"])
