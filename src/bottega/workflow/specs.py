"""Which candidates a table of pictures gets: the rivals that always run, and heads on pretrained features."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bottega.data.preparation import N_THUMBNAIL
from bottega.errors import BottegaError, found_in, nearest_name
from bottega.evaluation.baselines import fit_forest, fit_majority, fit_nearest
from bottega.evaluation.forms import Form, Softmax
from bottega.evaluation.metrics import METRICS
from bottega.training.head import STRENGTHS, fit_perceptron, fit_softmax, softmax_path
from bottega.workflow.candidates import Setting, Spec, answer

__all__ = ["NETWORK_VIEWS", "missing_specs", "picture_specs", "require_name"]

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

NETWORK_VIEWS = {"network": "pretrained", "mirrored": "pretrained, mirrored too", "larger": "larger pretrained"}
IMBALANCE = 3.0  # largest class over smallest: from here on class weights are tried
PATIENCE = 2  # strengths that may be worse than the best before the path is left


def picture_specs(views: Sequence[str], n_classes: int, *, metric: str, seed: int, threads: int) -> list[Spec]:
    """The candidates from the simplest to the most complex.

    Args:
        views: which of `NETWORK_VIEWS` have been computed; the plain view always is.
        metric: what class weights must improve.
    """
    linear = _Linear(n_classes, metric)

    def majority(_: Floats, y: Integers, __: Setting) -> Form:
        return fit_majority(y, n_classes)

    def nearest(x: Floats, y: Integers, _: Setting) -> Form:
        return fit_nearest(x, y, n_classes, N_THUMBNAIL)

    def forest(x: Floats, y: Integers, _: Setting) -> Form:
        return fit_forest(x, y, n_classes, seed=seed, threads=threads)

    def perceptron(x: Floats, y: Integers, _: Setting) -> Form:
        return fit_perceptron(x, y, n_classes, seed=seed)

    specs = [
        Spec("most frequent class", "baseline", "plain", majority),
        Spec("nearest neighbour", "baseline", "plain", nearest),
        Spec("linear on thumbnails", "baseline", "plain", linear.fit, linear.tune),
        Spec("random forest", "baseline", "plain", forest),
    ]
    for view, name in NETWORK_VIEWS.items():
        if view in views:
            specs.append(Spec(f"{name} + linear", "network", view, linear.fit, linear.tune))
        if view == "network" and view in views:
            specs.append(Spec("pretrained + perceptron", "network", view, perceptron))
    return specs


def require_name(ship: str, views: Sequence[str], own: Sequence[str] = ()) -> None:
    """Refuse a `--ship` that names no candidate, before any work is done.

    Args:
        own: names of networks of one's own.
    Raises:
        BottegaError: it is neither best, network nor a candidate's name; the nearest is named.
    """
    names = [spec.name for spec in picture_specs(views, 2, metric="accuracy", seed=0, threads=1)] + [*own]
    if ship in ("best", "network", *names):
        return
    near = nearest_name(ship, ["best", "network", *names])
    raise BottegaError(
        found=f"--ship {ship!r}",
        expected=f"best, network or one of {found_in(names, limit=9)}",
        fix=f"--ship {near!r}" if near else "--ship best",
    )


def missing_specs(unaffordable: Mapping[str, str]) -> list[tuple[Spec, str]]:
    """Candidates whose vectors were not made, and why: they stay listed."""

    def never(_: Floats, __: Integers, ___: Setting) -> Form:
        raise RuntimeError("a candidate without vectors can't be fitted")

    return [
        (Spec(f"{NETWORK_VIEWS[view]} + linear", "network", view, never), why) for view, why in unaffordable.items()
    ]


class _Linear:
    """The softmax layer with its strength, and class weights where they help."""

    def __init__(self, n_classes: int, metric: str) -> None:
        self.n_classes = n_classes
        self.metric = METRICS[metric]

    def tune(self, x: Floats, y: Integers, x_val: Floats, y_val: Integers) -> tuple[Setting, Form | None]:
        """Pick the strength with the least validation log loss; then try weights if the classes are uneven."""
        losses: list[float] = []
        best, kept = 0, None
        for number, layer in enumerate(softmax_path(x, y, self.n_classes, STRENGTHS)):
            losses.append(self._loss(layer, x_val, y_val))
            if kept is None or losses[-1] < losses[best]:
                best, kept = number, layer
            if number - best >= PATIENCE:
                break
        setting: Setting = {"strength": STRENGTHS[best], "balanced": False}
        setting["tried"] = [[STRENGTHS[i], round(loss, 6)] for i, loss in enumerate(losses)]
        counts = np.bincount(y, minlength=self.n_classes)
        if kept is not None and counts.min() > 0 and counts.max() / counts.min() >= IMBALANCE:
            weighted = self.fit(x, y, {**setting, "balanced": True})
            if self._gain(weighted, kept, x_val, y_val) > 0:
                return {**setting, "balanced": True}, weighted
        return setting, kept

    def fit(self, x: Floats, y: Integers, setting: Setting) -> Form:
        weights = _balanced(y, self.n_classes) if setting["balanced"] else None
        return fit_softmax(x, y, self.n_classes, setting["strength"], weights)

    def _loss(self, layer: Softmax, x: Floats, y: Integers) -> float:
        logits = answer(layer, x, self.n_classes)
        logits = logits - logits.max(1, keepdims=True)
        log_sums = np.log(np.exp(logits).sum(1))
        return float((log_sums - logits[np.arange(len(y)), y]).mean())

    def _gain(self, new: Form, old: Form, x: Floats, y: Integers) -> float:
        scores = [self.metric.function(y, answer(form, x, self.n_classes)) for form in (new, old)]
        gain = scores[0] - scores[1]
        return gain if self.metric.higher_is_better else -gain


def _balanced(y: Integers, n_classes: int) -> Floats:
    """Weights that let every class count the same: (C,), their mean over the examples is 1."""
    counts = np.maximum(np.bincount(y, minlength=n_classes), 1)
    return (len(y) / (n_classes * counts)).astype(np.float32)
