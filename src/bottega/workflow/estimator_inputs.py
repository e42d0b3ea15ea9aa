"""What the estimators are given, as the contest takes it; where the verbs refuse, they warn: folds have few rows."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_preparation import EXACT
from bottega.errors import BottegaError, found_in
from bottega.workflow.features import cores_at_hand

__all__ = ["labels_of", "narrowed", "threads_of", "warn_of_little"]

MIN_ROWS = 20  # of `data.table_checks`
Cells = dict[str, npt.NDArray[Any]]


def labels_of(classes: npt.NDArray[Any]) -> tuple[str, ...]:
    """The classes as a file names them; 1.0 is called 1, and an empty name ''."""
    plain = classes.tolist()
    names = [str(int(one)) if isinstance(one, float) and one.is_integer() else str(one) for one in plain]
    return tuple(name or repr(name) for name in names)


def threads_of(n_jobs: Any) -> int:
    """Cores that `n_jobs` means: one for None, all at hand for -1."""
    if n_jobs is None:
        return 1
    if not isinstance(n_jobs, (int, np.integer)) or isinstance(n_jobs, bool) or (n_jobs < 1 and n_jobs != -1):
        raise BottegaError(found=f"n_jobs={n_jobs!r}", expected="a number of cores, -1 for all", fix="n_jobs=-1")
    return cores_at_hand() if n_jobs == -1 else int(n_jobs)


def narrowed(cells: Cells) -> Cells:
    """The cells with numbers as 32 bits hold them; whole numbers that this changes are told."""
    found: Cells = {}
    changed = []
    for name, values in cells.items():
        if values.dtype == object:
            found[name] = values
            continue
        with np.errstate(over="ignore"):
            narrow = values.astype(np.float32).astype(np.float64)
        if bool(((narrow != values) & (np.abs(values) > EXACT) & (values == np.rint(values))).any()):
            changed.append(name)
        found[name] = narrow
    if changed:
        _warn(
            f"whole numbers beyond {EXACT:,} in {found_in(changed)}, which 32 bits round; as strings they would be "
            "categories; `bottega train` refuses them"
        )
    return found


def warn_of_little(y: npt.NDArray[Any], classes: tuple[str, ...]) -> None:
    """Tell of rows and classes that are too few."""
    if len(y) < MIN_ROWS:
        _warn(f"{len(y)} rows to learn from; `bottega train` refuses fewer than {MIN_ROWS}")
    if len(classes) == 1:
        _warn(f"one class, {classes[0]!r}: every answer will be that; `bottega train` refuses it")
    elif classes:
        lone = [classes[i] for i in np.flatnonzero(np.bincount(y, minlength=len(classes)) == 1)]
        if lone:
            _warn(f"a single row of {found_in(lone)}; `bottega train` refuses classes of one row")


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=5)
