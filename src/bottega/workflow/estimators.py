"""`Classifier` and `Regressor`: a training on a table in scikit-learn's words.

What `fit` leaves is one model file, as bytes: copying, pickling and saving carry nothing else.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
import numpy.typing as npt

from bottega.data.frames import cells_as, date_format, is_mixed, kinds_of, raw_columns
from bottega.data.table_preparation import Kind
from bottega.errors import BottegaError
from bottega.shipping.model_file import read
from bottega.shipping.predictor import load
from bottega.shipping.table_predictor import Answered, TableModel
from bottega.workflow.estimator_inputs import labels_of, narrowed, threads_of, warn_of_little
from bottega.workflow.extras import missing_extra
from bottega.workflow.threads import calm_threads

try:
    calm_threads()
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import assert_all_finite, check_consistent_length, check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ModuleNotFoundError as error:
    raise missing_extra(error) or error from error

__all__ = ["Classifier", "Regressor"]

BATCH = 64  # rows; every question is asked in batches of just so many, so that no answer depends on its neighbours
KEY = "estimator"  # of the recipe in the file
Cells = dict[str, npt.NDArray[Any]]


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What both have in common: columns in, a file out."""

    _kind: ClassVar[str]
    _kinds: dict[str, Kind]  # of the columns
    _formats: dict[str, str]  # of those that are dates

    def __init__(
        self,
        *,
        candidates: str | Sequence[str] = "all",
        metric: str | None = None,
        random_state: Any = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.candidates = candidates
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs

    @property
    def model(self) -> TableModel:
        """The fitted model, as `bottega.load` gives it: `model.card` says what was tried and what was chosen."""
        check_is_fitted(self)
        return cast(TableModel, self._model)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file: for `load`, `bottega predict`, or ONNX Runtime in any language.

        Raises:
            BottegaError: it cannot be written there.
        """
        check_is_fitted(self)
        try:
            Path(path).write_bytes(self.file_)
        except OSError as error:
            raise BottegaError(
                found=f"{os.fspath(path)!r} cannot be written: {error.strerror}",
                expected="a path in a folder that is there",
                fix="save('model.onnx')",
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The estimator that `save` wrote, with its parameters; no scikit-learn object is inside.

        Raises:
            BottegaError: no such file, or a model that another class saved.
        """
        card, data = read(path)
        stated = card.recipe.get(KEY)
        kind = stated.get("kind") if isinstance(stated, dict) else None
        if not isinstance(stated, dict) or kind != cls._kind:
            raise BottegaError(
                found=f"the model of a {kind}" if kind else "a model that no estimator saved",
                expected=f"what {cls._kind}.save wrote",
                fix=f"bottega.{kind}.load(...)" if kind in ("Classifier", "Regressor") else "bottega.load(...)",
                where=os.fspath(path),
            )
        try:
            found = cls(**stated["params"])
            found._restore(stated)
        except (KeyError, TypeError, ValueError) as error:
            raise BottegaError(
                found=f"parameters {stated!r}", expected=f"those that {cls._kind}.save wrote", fix="save it again"
            ) from error
        found.file_ = data
        found._open()
        return found

    def _restore(self, stated: dict[str, Any]) -> None:
        self._kinds = dict(stated["kinds"])
        self.n_features_in_ = len(self._kinds)
        self._formats = dict(stated["formats"])
        if stated["named"]:
            self.feature_names_in_ = np.array(list(self._kinds), dtype=object)

    def _open(self) -> None:
        self._model = load(self.file_, threads=1)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_model", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "file_" in state:
            self._open()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True  # strings too; but scikit-learn's tag for them would mean any object
        return tags

    def _fit(self, X: Any, y: npt.NDArray[Any], classes: tuple[str, ...], facts: dict[str, Any], target: Any) -> Self:
        """Fit on checked cells, and remember what the file needs to become this estimator again."""
        from bottega.workflow.estimator_file import Rows
        from bottega.workflow.estimator_fit import Contest, fit_file

        seed = self.random_state
        if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
            seed = check_random_state(seed).randint(2**31 - 1)
        threads = threads_of(self.n_jobs)
        cells = self._learn_columns(X)
        check_consistent_length(y, *cells.values())
        warn_of_little(y, classes)
        name = next(name for name in (target, "target", "answer", "y") if isinstance(name, str) and name not in cells)
        rows = Rows(narrowed(cells), self._kinds, self._formats, y, classes, name)
        jobs = None if self.n_jobs is None else int(self.n_jobs)
        params = {**self.get_params(deep=False), "random_state": int(seed), "n_jobs": jobs}
        stated = {
            "kind": self._kind,
            "params": params,
            "named": hasattr(self, "feature_names_in_"),
            "kinds": list(self._kinds.items()),  # a list keeps its order in the card
            "formats": self._formats,
            **facts,
        }
        self.file_ = fit_file(rows, Contest(self.candidates, self.metric, int(seed), threads), {KEY: stated})
        self._open()
        return self

    def _learn_columns(self, X: Any) -> Cells:
        if not is_mixed(X):
            matrix = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
            names = getattr(self, "feature_names_in_", [f"x{place}" for place in range(matrix.shape[1])])
            self._kinds = {str(name): "number" for name in names}
            self._formats = {}
            return {name: matrix[:, place] for place, name in enumerate(self._kinds)}
        columns = raw_columns(X)
        validate_data(self, X, skip_check_array=True)
        self._kinds = kinds_of(columns)
        self._formats = {name: date_format(columns[name]) for name, kind in self._kinds.items() if kind == "date"}
        return self._typed(columns)

    def _cells(self, X: Any) -> Cells:
        """The cells of new rows, as the fitted ones were read."""
        check_is_fitted(self)
        if set(self._kinds.values()) == {"number"}:
            matrix = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
            return {name: matrix[:, place] for place, name in enumerate(self._kinds)}
        columns = raw_columns(X)
        validate_data(self, X, skip_check_array=True, reset=False)
        return self._typed(dict(zip(self._kinds, columns.values(), strict=True)))

    def _typed(self, columns: Cells) -> Cells:
        if not columns or not len(next(iter(columns.values()))):
            raise BottegaError(found="no rows", expected="at least one", fix="give rows of the columns of fit")
        return {
            name: cells_as(name, columns[name], kind, self._formats.get(name, "")) for name, kind in self._kinds.items()
        }

    def _ask(self, X: Any) -> Answered:
        """Answers (N,) by name, in batches of one size: the last is filled up with copies of its first row."""
        cells = self._cells(X)
        n = len(next(iter(cells.values())))
        parts = []
        for start in range(0, n, BATCH):
            rows = np.arange(start, start + BATCH)
            rows[rows >= n] = start
            parts.append(self.model.predict_batch({name: values[rows] for name, values in cells.items()}))
        return {name: np.concatenate([part[name] for part in parts])[:n] for name in parts[0]}


class Classifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """Learns classes from a table: all candidates of `bottega train`, one of which is chosen and becomes a file.

    Missing values, categories (strings), and dates (datetime64) may be in X; numbers are read as 32 bits. What is
    chosen from are rows of X alone, out of fold where they are few: keep a test part of your own.

    Args:
        candidates: "all", "fast" (the three simplest, in a moment), or a list of names as `model.card.baselines` has.
        metric: what is judged: accuracy, log_loss, roc_auc and so on; None for accuracy.
        random_state: of the training and of the split into parts.
        n_jobs: cores that work; None for one, -1 for all.

    Attributes:
        classes_: (C,) different values of y, sorted.
        file_: the model file, as bytes.
        n_features_in_, feature_names_in_: columns of X.

    Example:
        >>> import numpy as np
        >>> X = np.arange(40.0).reshape(-1, 1)
        >>> model = Classifier(candidates="fast").fit(X, np.where(X[:, 0] < 20, "low", "high"))
        >>> model.predict([[3.0], [38.0]]).tolist()
        ['low', 'high']
    """

    _kind = "Classifier"
    classes_: npt.NDArray[Any]

    def fit(self, X: Any, y: Any) -> Self:
        """Learn.

        Args:
            X: (n_samples, n_features) numbers, or a frame of pandas or polars.
            y: (n_samples,) classes.
        """
        values = _checked_target(y)
        check_classification_targets(values)
        self.classes_, indices = np.unique(values, return_inverse=True)
        facts = {"classes": self.classes_.tolist(), "dtype": self.classes_.dtype.str}
        return self._fit(X, indices.astype(np.int64), labels_of(self.classes_), facts, getattr(y, "name", None))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable class of each row (n_samples,)."""
        best = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[best])

    def predict_proba(self, X: Any) -> npt.NDArray[np.float32]:
        """Calibrated probabilities (n_samples, n_classes), in the order of `classes_`."""
        return self._ask(X)["probabilities"]

    def _restore(self, stated: dict[str, Any]) -> None:
        super()._restore(stated)
        self.classes_ = np.array(stated["classes"], dtype=np.dtype(str(stated["dtype"])))


class Regressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """Learns values from a table; otherwise as `Classifier`, with rmse for the metric.

    Example:
        >>> import numpy as np
        >>> X = np.arange(40.0).reshape(-1, 1)
        >>> model = Regressor(candidates="fast").fit(X, 2 * X[:, 0])
        >>> bool(abs(model.predict([[10.0]])[0] - 20) < 1)
        True
    """

    _kind = "Regressor"

    def fit(self, X: Any, y: Any) -> Self:
        """Learn.

        Args:
            X: (n_samples, n_features) numbers, or a frame of pandas or polars.
            y: (n_samples,) values.
        """
        values = _checked_target(y).astype(np.float64)
        return self._fit(X, values, (), {}, getattr(y, "name", None))

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """The value of each row (n_samples,)."""
        return self._ask(X)["value"].astype(np.float64)

    def predict_interval(self, X: Any) -> npt.NDArray[np.float64]:
        """Lower and upper end (n_samples, 2) of an interval for each row, with the coverage of `model.card.table`."""
        found = self._ask(X)
        return np.stack([found["lower"], found["upper"]], axis=1).astype(np.float64)


def _checked_target(y: Any) -> npt.NDArray[Any]:
    if y is None:
        raise BottegaError(
            found="no y: fit requires y to be passed, but the target y is None", expected="fit(X, y)", fix="pass y"
        )
    values: npt.NDArray[Any] = column_or_1d(y, warn=True)
    assert_all_finite(values, input_name="y")
    return values
