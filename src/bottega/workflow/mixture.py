"""A mixture of the best candidates: weights found on validation rows, each member fitted once only."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bottega.evaluation.forms import Form
from bottega.evaluation.table_forms import Mixture
from bottega.workflow.candidates import Setting, Spec

__all__ = ["MIXTURE", "Remembered", "mixture_spec"]

Floats = npt.NDArray[np.float32]
Targets = npt.NDArray[Any]
Numbers = npt.NDArray[np.float64]
MIXTURE = "mixture of the best"  # its name as a candidate
N_DRAWS = 20  # of the greedy search
N_RESAMPLES = 25  # of the validation rows; fewer where they are many, and agree
MOST_ROWS = 50_000  # of all resamples
LEAST_SHARE = 1 / N_DRAWS  # a member with less isn't worth its bytes
LEAST_GAIN = 0.005  # of the loss of the best member: a mixture that gains less isn't worth its others
N_KEPT = 12  # fits that are remembered: five folds, the tuned and the final one, twice


class Task(Protocol):
    """What the mixture asks of a task."""

    @property
    def n_classes(self) -> int | None: ...

    def answer(self, form: Form, x: Floats) -> npt.NDArray[np.float64]: ...


class Remembered:
    """A candidate that fits the same rows once only, whoever asks first: itself in the race, or the mixture.

    Attributes:
        tune_seconds, fit_seconds: that it took to be tuned, and to be fitted under a setting, the last time.
    """

    tune_seconds = 0.0
    fit_seconds = 0.0

    def __init__(self, spec: Spec) -> None:
        self.spec = replace(spec, fit=self.fit, tune=self.tune)
        self._spec = spec
        self._known: dict[bytes, Any] = {}
        self._asked: dict[bytes, Lock] = {}
        self._lock = Lock()

    def tune(self, x: Floats, y: Targets, x_val: Floats, y_val: Targets, *weights: Numbers) -> tuple[Setting, Form]:
        """As the candidate's own; its form is never None."""
        weights = weights if self._spec.weighs else ()

        def work() -> tuple[Setting, Form]:
            begun = time.perf_counter()
            setting, form = self._spec.tune(x, y, x_val, y_val, *weights)
            form = form if form is not None else self._spec.fit(x, y, setting, *weights[:1])
            self.tune_seconds = time.perf_counter() - begun
            return setting, form

        found: tuple[Setting, Form] = self._once(_key(x, y, *weights) + _key(x_val, y_val), work)
        return found

    @property
    def is_known(self) -> bool:
        """Whether it was fitted on any rows; under a short time some candidates never are."""
        return bool(self._known)

    def fit(self, x: Floats, y: Targets, setting: Setting, *weights: Numbers) -> Form:
        """As the candidate's own."""
        weights = weights if self._spec.weighs else ()
        key = _key(x, y, *weights) + repr(sorted(setting.items())).encode()

        def work() -> Form:
            begun = time.perf_counter()
            form = self._spec.fit(x, y, setting, *weights)
            self.fit_seconds = time.perf_counter() - begun
            return form

        form: Form = self._once(key, work)
        return form

    def _once(self, key: bytes, work: Callable[[], Any]) -> Any:
        """The result of the first who asked; who asks meanwhile waits for it."""
        with self._lock:
            asked = self._asked.setdefault(key, Lock())
            while len(self._asked) > N_KEPT:
                oldest = next(iter(self._asked))
                self._asked.pop(oldest)
                self._known.pop(oldest, None)
        with asked:
            if key in self._known:
                return self._known[key]
            result = self._known[key] = work()
            return result


def mixture_spec(task: Task, members: Sequence[Remembered]) -> Spec:
    """The mixture as a candidate; it stands last, when its members are fitted already."""
    mixer = _Mixer(task, members)
    view = members[0].spec.view
    return Spec(MIXTURE, "baseline", view, mixer.fit, mixer.tune, alone=True, leads=False, weighs=True)


class _Mixer:
    def __init__(self, task: Task, members: Sequence[Remembered]) -> None:
        self.task = task
        self.members = {member.spec.name: member for member in members}

    def tune(self, x: Floats, y: Targets, x_val: Floats, y_val: Targets, *weights: Numbers) -> tuple[Setting, Form]:
        known = {name: member for name, member in self.members.items() if member.is_known} or self.members
        tuned = {name: member.tune(x, y, x_val, y_val, *weights) for name, member in known.items()}
        answers = np.stack([self._answers(form, x_val) for _, form in tuned.values()])  # (members, N, C)
        counting = weights[1] if weights else np.ones(len(y_val))
        found = _shares(answers, y_val, counting, is_class=self.task.n_classes is not None)
        shares = {name: float(share) for name, share in zip(tuned, found, strict=True) if share}
        setting = {"weights": shares, "settings": {name: tuned[name][0] for name in shares}}
        return setting, self._mixture({name: tuned[name][1] for name in shares}, shares)

    def fit(self, x: Floats, y: Targets, setting: Setting, *weights: Numbers) -> Form:
        shares = setting["weights"]
        forms = {name: self.members[name].fit(x, y, setting["settings"][name], *weights) for name in shares}
        return self._mixture(forms, shares)

    def _mixture(self, forms: dict[str, Form], weights: dict[str, float]) -> Form:
        if len(weights) == 1:
            return next(iter(forms.values()))
        is_share = self.task.n_classes is not None
        return Mixture(tuple(forms.values()), tuple(weights.values()), is_share)

    def _answers(self, form: Form, x: Floats) -> npt.NDArray[np.float64]:
        scores = self.task.answer(form, x)
        if self.task.n_classes is None:
            return scores
        shares = np.exp(scores - scores.max(1, keepdims=True))
        return np.asarray(shares / shares.sum(1, keepdims=True))


def _shares(answers: Numbers, y: Targets, weights: Numbers, *, is_class: bool) -> Numbers:
    """(M,) how much of each member: the mean over resamples of the rows, for few rows alone favour one by luck.

    Args:
        answers: (M, N, C) probabilities, or (M, N, 1) values.
        weights: (N,) how much each row counts.
    """
    rows = np.flatnonzero(y >= 0) if is_class else np.arange(len(y))
    of_row = answers[:, rows, y[rows]] if is_class else answers[:, :, 0] - y
    n, rng = len(rows), np.random.default_rng(0)
    n_resamples = max(1, min(N_RESAMPLES, MOST_ROWS // n)) if n else 1
    counts = _greedy(of_row, weights[rows], is_class=is_class)
    for _ in range(n_resamples - 1):
        counts += _greedy(of_row, weights[rows] * rng.multinomial(n, np.full(n, 1 / n)), is_class=is_class)
    shares = counts / counts.sum()
    shares[shares < LEAST_SHARE] = 0
    shares /= shares.sum()
    alone = [_loss(one, weights[rows], is_class=is_class) for one in of_row]
    if _loss(shares @ of_row, weights[rows], is_class=is_class) > (1 - LEAST_GAIN) * min(alone):
        shares = np.eye(len(alone))[int(np.argmin(alone))]
    return np.asarray(shares)


def _greedy(of_row: Numbers, weights: Numbers, *, is_class: bool) -> npt.NDArray[np.int64]:
    """How often each member is drawn when each draw takes the one that helps the mean most.

    Args:
        of_row: (M, N) the probability of the true class, or by how much the value is off.
        weights: (N,) how much each row counts; any scale.
    Source: Caruana et al. 2004, "Ensemble selection from libraries of models".
    """
    counts, total = np.zeros(len(of_row), np.int64), np.zeros(of_row.shape[1])
    for n in range(1, N_DRAWS + 1):
        means = (total + of_row) / n
        best = int(np.argmin(_loss(means, weights, is_class=is_class)))
        counts[best] += 1
        total += of_row[best]
    return counts


def _loss(of_row: Numbers, weights: Numbers, *, is_class: bool) -> Any:
    """The log loss or the squared error, summed over rows (..., N) of what `_greedy` takes."""
    return (-np.log(np.maximum(of_row, 1e-7)) if is_class else np.square(of_row)) @ weights


def _key(x: Floats, *others: npt.NDArray[Any]) -> bytes:
    digest = hashlib.blake2b(np.ascontiguousarray(x).tobytes(), digest_size=16)
    for other in others:
        digest.update(np.ascontiguousarray(other).tobytes())
    return digest.digest()
