"""Which candidates texts get: linear layers on weighted counts of terms, on sentence features, and on both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bottega.data.text_characters import TextPreparation
from bottega.evaluation.baselines import fit_majority
from bottega.evaluation.calibration import apply_temperature, fit_temperature
from bottega.evaluation.forms import Form, Graph, Softmax
from bottega.evaluation.text_models import (
    FittedTerms,
    LinearLayer,
    TermCounts,
    fit_bayes,
    fit_logistic,
    fit_svm,
    fit_terms,
    side_by_side,
)
from bottega.shipping.text_tails import TermWeights, text_scores_graph
from bottega.training.head import STRENGTHS, fit_softmax, softmax_path
from bottega.workflow.candidates import Setting, Spec, answer

__all__ = ["BOTH", "CODES", "SENTENCE", "TextTask", "text_specs"]

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Kind = Literal["words", "runs"]
Fitted = tuple[Setting, Form | None]

CODES, SENTENCE, BOTH = "codes", "sentence", "codes and sentence"  # the views
COSTS = (0.3, 1.0, 3.0)  # C of the support vector machine
STRENGTH_OF_LOGISTIC = (3.0, 10.0, 30.0)  # C
ADDED = (0.03, 0.1, 0.3)  # to the counts of naive Bayes
SHARES = (0.5, 1.0, 2.0, 4.0)  # how much a support vector machine's scores count beside the sentence network's
PATIENCE = 2  # strengths without a gain
SLOW = 20  # classes, from which logistic regression on words takes minutes, and support vectors get one C
WORDS: tuple[Kind, ...] = ("words",)
RUNS: tuple[Kind, ...] = ("runs",)
ALL: tuple[Kind, ...] = ("words", "runs")


@dataclass(frozen=True)
class TextTask:
    """What candidates need to know beside their rows.

    Attributes:
        codes: (N, L) of all texts, each of which is found again by its codes.
        counts: of the same rows.
    """

    prepared: TextPreparation
    codes: npt.NDArray[np.uint16]
    counts: TermCounts
    n_classes: int

    @cached_property
    def places(self) -> dict[bytes, int]:
        """The row of each text, by its codes."""
        return {row.tobytes(): i for i, row in enumerate(self.codes)}

    def rows(self, x: npt.NDArray[Any]) -> Integers:
        """Which texts these are: rows of the view of codes, or of the view of both."""
        codes = np.ascontiguousarray(x[:, : self.codes.shape[1]].astype(np.uint16, copy=False))
        return np.array([self.places[row.tobytes()] for row in codes], np.int64)

    def loss(self, scores: Numbers, y: Integers) -> float:
        """Mean log loss at the best temperature: scores of every kind compare."""
        probabilities = apply_temperature(scores, fit_temperature(scores, y))
        return float(-np.log(np.maximum(probabilities[np.arange(len(y)), y], 1e-12)).mean())


def text_specs(task: TextTask, views: Sequence[str]) -> tuple[list[Spec], list[tuple[Spec, str]]]:
    """The candidates from the simplest to the most complex, and those that are left out, with why."""
    costs = COSTS if task.n_classes < SLOW else COSTS[1:2]
    constant = Spec("most frequent class", "baseline", CODES, lambda _, y, __: fit_majority(y, task.n_classes))
    logistic = _spec("words, logistic regression", _Terms(task, WORDS, fit_logistic, STRENGTH_OF_LOGISTIC))
    specs = [
        constant,
        _spec("words, naive Bayes", _Terms(task, WORDS, fit_bayes, ADDED)),
        logistic,
        _spec("words, support vectors", _Terms(task, WORDS, fit_svm, costs)),
        _spec("characters, support vectors", _Terms(task, RUNS, fit_svm, costs)),
        replace(_spec("words and characters", _Terms(task, ALL, fit_svm, costs)), leads=True),
    ]
    left_out = []
    if task.n_classes >= SLOW:
        specs.remove(logistic)
        left_out.append((logistic, f"not tried: on {task.n_classes} classes it would take minutes"))
    if SENTENCE in views:
        specs.append(_spec("sentence network", _Sentence(task), "network", SENTENCE))
    if BOTH in views:
        specs.append(_spec("sentence network and words", _Both(task), "network", BOTH))
    return specs, left_out


def _spec(name: str, way: Any, kind: Literal["network", "baseline"] = "baseline", view: str = CODES) -> Spec:
    return Spec(name, kind, view, way.fit, way.tune)


@dataclass(frozen=True)
class _FittedLayer:
    """Terms of one or two kinds, side by side, and a layer on them."""

    blocks: tuple[FittedTerms, ...]
    layer: LinearLayer

    def weights(self, factor: float = 1.0) -> list[TermWeights]:
        ends = np.cumsum([block.terms.n_terms for block in self.blocks])[:-1]
        parts = np.split(self.layer.weight * np.float32(factor), ends)
        return [TermWeights(block.terms, part) for block, part in zip(self.blocks, parts, strict=True)]


class _Terms:
    """A linear layer on weighted counts."""

    def __init__(self, task: TextTask, kinds: Sequence[Kind], learn: Any, strengths: Sequence[float]) -> None:
        self.task = task
        self.kinds = kinds
        self.learn = learn
        self.strengths = strengths

    def tune(self, x: Floats, y: Integers, x_val: Floats, y_val: Integers) -> Fitted:
        if len(np.unique(y)) < 2:
            return {"strength": self.strengths[0]}, None
        rows = self.task.rows(x)
        blocks = self._blocks(rows)
        seen, unseen = (self.matrix(blocks, some) for some in (rows, self.task.rows(x_val)))
        layers = [self.learn(seen, y, self.task.n_classes, strength) for strength in self.strengths]
        losses = [self.task.loss(layer.scores(unseen), y_val) for layer in layers]
        best = int(np.argmin(losses))
        setting = {"strength": self.strengths[best], "tried": [round(loss, 6) for loss in losses]}
        return setting, self._form(_FittedLayer(blocks, layers[best]))

    def fit(self, x: Floats, y: Integers, setting: Setting) -> Form:
        if len(np.unique(y)) < 2:
            return fit_majority(y, self.task.n_classes)
        return self._form(self.layer(self.task.rows(x), y, setting["strength"]))

    def layer(self, rows: Integers, y: Integers, strength: float) -> _FittedLayer:
        """Fitted on these rows."""
        blocks = self._blocks(rows)
        return _FittedLayer(blocks, self.learn(self.matrix(blocks, rows), y, self.task.n_classes, strength))

    def matrix(self, blocks: Sequence[FittedTerms], rows: Integers) -> Any:
        """Sparse rows of the blocks side by side."""
        return side_by_side(blocks, self.task.counts, rows)

    def _blocks(self, rows: Integers) -> tuple[FittedTerms, ...]:
        return tuple(fit_terms(self.task.counts, rows, kind) for kind in self.kinds)

    def _form(self, fitted: _FittedLayer) -> Form:
        return Graph(text_scores_graph(self.task.prepared, fitted.weights(), fitted.layer.bias))


class _Sentence:
    """A softmax layer on frozen sentence features."""

    def __init__(self, task: TextTask) -> None:
        self.task = task

    def tune(self, x: Floats, y: Integers, x_val: Floats, y_val: Integers) -> Fitted:
        losses: list[float] = []
        best, kept = 0, None
        for number, layer in enumerate(softmax_path(x, y, self.task.n_classes, STRENGTHS)):
            losses.append(self.task.loss(answer(layer, x_val, self.task.n_classes), y_val))
            if kept is None or losses[-1] < losses[best]:
                best, kept = number, layer
            if number - best >= PATIENCE:
                break
        return {"strength": STRENGTHS[best], "tried": [round(loss, 6) for loss in losses]}, kept

    def fit(self, x: Floats, y: Integers, setting: Setting) -> Softmax:
        return fit_softmax(x, y, self.task.n_classes, setting["strength"])


class _Both:
    """The scores of a support vector machine on all terms, added to those of a layer on sentence features."""

    def __init__(self, task: TextTask) -> None:
        self.task = task
        self.terms = _Terms(task, ALL, fit_svm, COSTS)
        self.sentence = _Sentence(task)

    def tune(self, x: Floats, y: Integers, x_val: Floats, y_val: Integers) -> Fitted:
        if len(np.unique(y)) < 2:
            return {"strength": STRENGTHS[0], "cost": 1.0, "share": 1.0}, None
        width = self.task.codes.shape[1]
        found, head = self.sentence.tune(x[:, width:], y, x_val[:, width:], y_val)
        setting: Setting = {"strength": found["strength"], "cost": 1.0}
        fitted = self.terms.layer(self.task.rows(x), y, setting["cost"])
        if not isinstance(head, Softmax):
            raise TypeError("tuning gave no layer")
        of_network = answer(head, x_val[:, width:], self.task.n_classes)
        of_terms = fitted.layer.scores(self.terms.matrix(fitted.blocks, self.task.rows(x_val)))
        losses = [self.task.loss(of_network + share * of_terms, y_val) for share in SHARES]
        best = int(np.argmin(losses))
        setting |= {"share": SHARES[best], "tried": [round(loss, 6) for loss in losses]}
        return setting, self._form(fitted, head, SHARES[best])

    def fit(self, x: Floats, y: Integers, setting: Setting) -> Form:
        if len(np.unique(y)) < 2:
            return fit_majority(y, self.task.n_classes)
        head = self.sentence.fit(x[:, self.task.codes.shape[1] :], y, setting)
        return self._form(self.terms.layer(self.task.rows(x), y, setting["cost"]), head, setting["share"])

    def _form(self, fitted: _FittedLayer, head: Softmax, share: float) -> Form:
        bias = fitted.layer.bias * np.float32(share)
        return Graph(text_scores_graph(self.task.prepared, fitted.weights(share), bias, head))
