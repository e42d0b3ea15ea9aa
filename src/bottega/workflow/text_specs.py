"""Which candidates texts get: linear layers on weighted counts of terms, on sentence features, and on both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bottega.data.text_codes import CodedTexts
from bottega.evaluation.baselines import fit_majority
from bottega.evaluation.forms import Form, Graph, Softmax
from bottega.evaluation.text_models import (
    FittedTerms,
    Kind,
    LinearLayer,
    fit_bayes,
    fit_logistic,
    fit_svm,
    fit_terms,
    side_by_side,
)
from bottega.models.text_plans import TEXT_PLANS
from bottega.shipping.text_tails import TermWeights, sum_graph, text_scores_graph
from bottega.training.head import STRENGTHS, fit_softmax, softmax_path
from bottega.workflow.candidates import Setting, Spec, answer
from bottega.workflow.text_columns import JoinedHead
from bottega.workflow.text_networks import FineTuned, FromScratch
from bottega.workflow.text_task import BOTH, CODES, FINE_TUNED, PIECES, SENTENCE, TextTask
from bottega.workflow.text_vectors import VECTORS, VECTORS_AND_WORDS, VectorHead

__all__ = ["BOTH", "CODES", "PIECES", "SENTENCE", "TextTask", "text_specs"]

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Fitted = tuple[Setting, Form | None]

COSTS = (0.3, 1.0, 3.0)  # C of the support vector machine
STRENGTH_OF_LOGISTIC = (3.0, 10.0, 30.0)  # C
ADDED = (0.03, 0.1, 0.3)  # to the counts of naive Bayes
SHARES = (0.5, 1.0, 2.0, 4.0)  # how much a support vector machine's scores count beside the sentence network's
PATIENCE = 2  # strengths without a gain
SLOW = 20  # classes, from which logistic regression on words takes minutes, and support vectors get one C
WORDS: tuple[Kind, ...] = ("words",)
RUNS: tuple[Kind, ...] = ("runs",)
ALL: tuple[Kind, ...] = ("tokens", "runs")  # signs and digits tell more beside runs of characters than words alone do


def text_specs(
    task: TextTask, views: Sequence[str], features: str = "sentence network"
) -> tuple[list[Spec], list[tuple[Spec, str]]]:
    """The candidates from the simplest to the most complex, and those that are left out, with why.

    Args:
        features: what the view of features holds, as candidates are named.
    """
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
        *_of_vectors(task),
        *(_trained(_spec(name, FromScratch(task, name), "network")) for name in TEXT_PLANS),
    ]
    kind: Literal["network", "baseline"] = "network" if features.startswith("sentence") else "baseline"
    if task.is_unasked:
        specs.append(_spec("sentence network", _Sentence(task), "network", SENTENCE))
    if SENTENCE in views:
        specs.append(replace(_spec(features, _head(task), kind, SENTENCE), costly=task.is_costly(features)))
    if BOTH in views:
        name = f"{features} and words"
        specs.append(replace(_spec(name, _Both(task), kind, BOTH), costly=task.is_costly(name)))
    if PIECES in views:
        specs.append(_trained(_spec(FINE_TUNED, FineTuned(task), "network", PIECES)))
    left_out = [(spec, why) for spec in specs if (why := task.why_not(spec.name, spec.kind)) is not None]
    if task.n_classes >= SLOW:
        left_out.append((logistic, f"not tried: on {task.n_classes} classes it would take minutes"))
    unwanted = [spec for spec, _ in left_out]
    return [spec for spec in specs if spec not in unwanted], left_out


def _of_vectors(task: TextTask) -> list[Spec]:
    """The candidates on word vectors, where a file of them was stated."""
    if task.vectors is None:
        return []
    alone = VectorHead(task, task.vectors, _Sentence(task))
    both = _VectorsAndTerms(task, alone)
    return [_spec(VECTORS, alone, "network"), _spec(VECTORS_AND_WORDS, both, "network")]


def _trained(spec: Spec) -> Spec:
    """Trained by gradients: alone, since torch draws from one generator, and not expected to lead."""
    return replace(spec, alone=True, leads=False)


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

    def tune(self, x: CodedTexts, y: Integers, x_val: CodedTexts, y_val: Integers) -> Fitted:
        if len(np.unique(y)) < 2:
            return {"strength": self.strengths[0]}, None
        blocks = self._blocks(x.rows)
        seen, unseen = (self.matrix(blocks, some.rows) for some in (x, x_val))
        layers = [self.learn(seen, y, self.task.n_classes, strength) for strength in self.strengths]
        losses = [self.task.loss(layer.scores(unseen), y_val) for layer in layers]
        best = int(np.argmin(losses))
        setting = {"strength": self.strengths[best], "tried": [round(loss, 6) for loss in losses]}
        return setting, self._form(_FittedLayer(blocks, layers[best]))

    def fit(self, x: CodedTexts, y: Integers, setting: Setting) -> Form:
        if len(np.unique(y)) < 2:
            return fit_majority(y, self.task.n_classes)
        return self._form(self.layer(x.rows, y, setting["strength"]))

    def layer(self, rows: Integers, y: Integers, strength: float) -> _FittedLayer:
        """Fitted on these rows."""
        blocks = self._blocks(rows)
        return _FittedLayer(blocks, self.learn(self.matrix(blocks, rows), y, self.task.n_classes, strength))

    def matrix(self, blocks: Sequence[FittedTerms], rows: Integers) -> Any:
        """Sparse rows of the blocks side by side."""
        return side_by_side(blocks, self.task.counts, rows)

    def scores(self, fitted: _FittedLayer, x: CodedTexts) -> Numbers:
        """(n, C) of some rows."""
        return fitted.layer.scores(self.matrix(fitted.blocks, x.rows))

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


def _head(task: TextTask) -> "_Sentence | JoinedHead":
    """What is fitted on the view of features."""
    return JoinedHead(task, _Sentence(task), task.n_columns) if task.n_columns else _Sentence(task)


class _Both:
    """The scores of a support vector machine on all terms, added to those of a layer on sentence features."""

    def __init__(self, task: TextTask) -> None:
        self.task = task
        self.terms = _Terms(task, ALL, fit_svm, COSTS)
        self.sentence = _head(task)

    def tune(self, x: CodedTexts, y: Integers, x_val: CodedTexts, y_val: Integers) -> Fitted:
        features, unseen = _features(x), _features(x_val)
        found, head = self.sentence.tune(features, y, unseen, y_val)
        setting: Setting = {**found, "cost": 1.0}
        if len(np.unique(y)) < 2:
            return {**setting, "share": 1.0}, None
        fitted = self.terms.layer(x.rows, y, setting["cost"])
        if not isinstance(head, Softmax):
            raise TypeError("tuning gave no layer")
        of_network = answer(head, unseen, self.task.n_classes)
        of_terms = self.terms.scores(fitted, x_val)
        setting |= _best_share(self.task, of_network, of_terms, y_val)
        return setting, self._form(fitted, head, setting["share"])

    def fit(self, x: CodedTexts, y: Integers, setting: Setting) -> Form:
        if len(np.unique(y)) < 2:
            return fit_majority(y, self.task.n_classes)
        head = self.sentence.fit(_features(x), y, setting)
        return self._form(self.terms.layer(x.rows, y, setting["cost"]), head, setting["share"])

    def _form(self, fitted: _FittedLayer, head: Softmax, share: float) -> Form:
        bias = fitted.layer.bias * np.float32(share)
        return Graph(text_scores_graph(self.task.prepared, fitted.weights(share), bias, head))


def _features(x: CodedTexts) -> Floats:
    if x.features is None:
        raise TypeError("these texts have no features")
    return x.features


class _VectorsAndTerms:
    """The scores of a support vector machine on all terms, added to those of a layer on word vectors."""

    def __init__(self, task: TextTask, vectors: VectorHead) -> None:
        self.task = task
        self.vectors = vectors
        self.terms = _Terms(task, ALL, fit_svm, COSTS)

    def tune(self, x: CodedTexts, y: Integers, x_val: CodedTexts, y_val: Integers) -> Fitted:
        setting, form = self.vectors.tune(x, y, x_val, y_val)
        setting = {**setting, "cost": 1.0, "share": 1.0}
        if form is None:
            return setting, None
        fitted = self.terms.layer(x.rows, y, setting["cost"])
        of_vectors = answer(form, x_val, self.task.n_classes)
        setting |= _best_share(self.task, of_vectors, self.terms.scores(fitted, x_val), y_val)
        return setting, self._form(fitted, form, setting["share"])

    def fit(self, x: CodedTexts, y: Integers, setting: Setting) -> Form:
        form = self.vectors.fit(x, y, setting)
        if not isinstance(form, Graph):
            return form
        return self._form(self.terms.layer(x.rows, y, setting["cost"]), form, setting["share"])

    def _form(self, fitted: _FittedLayer, form: Form, share: float) -> Form:
        if not isinstance(form, Graph):
            raise TypeError("a layer on word vectors is a graph")
        bias = fitted.layer.bias * np.float32(share)
        return Graph(sum_graph([form.data, text_scores_graph(self.task.prepared, fitted.weights(share), bias)]))


def _best_share(task: TextTask, of_network: Numbers, of_terms: Numbers, y: Integers) -> Setting:
    """How much the scores of terms count beside the others."""
    losses = [task.loss(of_network + share * of_terms, y) for share in SHARES]
    return {"share": SHARES[int(np.argmin(losses))], "tried": [round(loss, 6) for loss in losses]}
