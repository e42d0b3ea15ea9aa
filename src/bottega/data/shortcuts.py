"""Does something other than what is shown give the class away: size, format, bytes, border?

Each trait alone predicts the class by the simplest rule, the commonest class among training pictures with that value,
and is judged on pictures that the rule did not see (five folds by content hash, twins together).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bottega.data.profile import ImageSet
from bottega.problem.records import Suspect

__all__ = ["shortcuts"]

_FOLDS = 5
_BINS = 16
_FEWEST = 40  # pictures; below that no rule can be told from luck
_REMOVED_FILE = 0.25  # share of the baseline's errors that a trait of the file must remove, at the interval's low end
_REMOVED_BORDER = 0.5  # a border is part of what is shown (snow around a husky): more is asked for
_MOST_CLASSES = 200
_MOST_NEEDED = 0.8
_Z = 1.959964

Integers = npt.NDArray[np.int64]


def shortcuts(images: ImageSet, chosen: Integers) -> list[Suspect]:
    """Suspects for the traits that predict the class much better than always saying the commonest one.

    A trait is suspect when its held-out accuracy, at the low end of the 95 % interval, removes a quarter of the errors
    of the commonest class (a half for the border), or when it tells one class from all others twice as well as that.
    """
    if len(chosen) < _FEWEST:
        return []
    names, labels = np.unique([str(images.labels[i]) for i in chosen], return_inverse=True)
    folds = _folds(images, chosen)
    baseline = float(np.mean(_held_out(np.zeros(len(chosen), np.int64), labels, folds)))
    found = []
    for trait, values, needed, fix in _traits(images, chosen):
        coded = _coded(values)
        accuracy = float(np.mean(_held_out(coded, labels, folds)))
        if _removed(accuracy, baseline, len(chosen)) >= needed:
            evidence = (
                f"{trait} alone predicts the class {100 * accuracy:.0f} % right on {len(chosen):,} pictures it was not "
                f"fitted on, where always saying the commonest class is {100 * baseline:.0f} %"
            )
            found.append((accuracy, Suspect("shortcut", trait, evidence + _example(values, images, chosen), fix)))
        elif one := _one_class(coded, labels, folds, 2 * needed):
            name, removed = str(names[one[0]]), one[1]
            evidence = (
                f"{trait} alone tells {name!r} from all other classes, with {100 * (1 - removed):.0f} % of the errors "
                f"that never saying {name!r} would make, on {len(chosen):,} pictures it was not fitted on"
            )
            found.append((0.0, Suspect("shortcut", trait, evidence, fix)))
    return [suspect for _, suspect in sorted(found, key=lambda pair: -pair[0])]


def _removed(accuracy: float, baseline: float, n: int) -> float:
    """Share of the baseline's errors that a rule removes, at the low end of its interval."""
    low = accuracy - _Z * math.sqrt(accuracy * (1 - accuracy) / n)
    return (low - baseline) / (1 - baseline) if baseline < 1 else 0.0


def _one_class(coded: Integers, labels: Integers, folds: Integers, needed: float) -> tuple[int, float] | None:
    """The class that a trait tells from all others best, and the share of errors removed, when that is enough.

    Among many classes one that is given away hardly moves the accuracy over all.
    """
    n_classes = int(labels.max()) + 1
    if n_classes < 3 or n_classes > _MOST_CLASSES or int(coded.max()) == 0:
        return None
    best: tuple[int, float] | None = None
    for label in range(n_classes):
        inside = (labels == label).astype(np.int64)
        accuracy = float(np.mean(_held_out(coded, inside, folds)))
        removed = _removed(accuracy, 1 - float(inside.mean()), len(labels))
        if removed >= min(needed, _MOST_NEEDED) and (best is None or removed > best[1]):
            best = (label, removed)
    return best


_Values = list[object] | npt.NDArray[np.float64]


def _traits(images: ImageSet, chosen: Integers) -> list[tuple[str, _Values, float, str]]:
    """(name, value of each picture, share of errors to remove, fix); lists are categories, arrays are numbers."""
    resize = "bring all classes to one size and format, from the same cameras, or expect it to fail elsewhere"
    ground = (
        "photograph all classes on the same grounds, or check on pictures from elsewhere before you believe the score"
    )
    ring = _ring(images.thumbs[chosen])
    colour = ring.mean(axis=1)
    cells = [tuple(cell) for cell in (colour // 64).astype(int).tolist()]
    spread = ring.std(axis=1).mean(axis=1)
    sizes: list[object] = [tuple(size) for size in images.sizes[chosen].tolist()]
    return [
        ("the size in pixels", sizes, _REMOVED_FILE, resize),
        ("the file format", [images.formats[i] for i in chosen], _REMOVED_FILE, resize),
        ("the colour mode", [images.modes[i] for i in chosen], _REMOVED_FILE, resize),
        ("the file's size in bytes", images.file_bytes[chosen].astype(np.float64), _REMOVED_FILE, resize),
        ("the colour of the border", list(cells), _REMOVED_BORDER, ground),
        ("the brightness of the border", colour.mean(axis=1), _REMOVED_BORDER, ground),
        ("the evenness of the border", spread, _REMOVED_BORDER, ground),
    ]


def _ring(thumbs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The outermost cells: (N, 16, 16, 3) -> (N, 60, 3)."""
    inside = np.zeros(thumbs.shape[1:3], bool)
    inside[1:-1, 1:-1] = True
    return thumbs[:, ~inside].astype(np.float64)


def _folds(images: ImageSet, chosen: Integers) -> Integers:
    """A fold for each picture, from the smallest hash of its group: names and order play no part."""
    smallest: dict[int, bytes] = {}
    keys = [images.hashes[i].tobytes() for i in chosen]
    groups = images.twin_groups[chosen].tolist()
    for group, key in zip(groups, keys, strict=True):
        smallest[group] = min(key, smallest.get(group, key))
    return np.array([smallest[group][-1] % _FOLDS for group in groups], np.int64)


def _coded(values: _Values) -> Integers:
    """Categories as numbers; numbers as one of 16 equally filled bins."""
    if isinstance(values, list):
        known: dict[object, int] = {}
        return np.array([known.setdefault(value, len(known)) for value in values], np.int64)
    edges = np.unique(np.quantile(values, np.arange(1, _BINS) / _BINS, method="lower"))
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def _held_out(coded: Integers, labels: Integers, folds: Integers) -> npt.NDArray[np.bool_]:
    """Whether the rule that was fitted on the other folds is right, for each picture."""
    right = np.zeros(len(labels), bool)
    n_classes = int(labels.max()) + 1
    for fold in range(_FOLDS):
        inside = folds == fold
        counts = np.zeros((int(coded.max()) + 1, n_classes), np.int64)
        np.add.at(counts, (coded[~inside], labels[~inside]), 1)
        rule = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), counts.sum(axis=0).argmax())
        right[inside] = rule[coded[inside]] == labels[inside]
    return right


def _example(values: _Values, images: ImageSet, chosen: Sequence[int] | Integers) -> str:
    """The value that belongs most clearly to one class, in words, for categories."""
    if not isinstance(values, list):
        return ""
    by_class: dict[object, Counter[str]] = defaultdict(Counter)
    for value, i in zip(values, chosen, strict=True):
        by_class[value][str(images.labels[i])] += 1
    value, counts = max(by_class.items(), key=lambda item: item[1].most_common(1)[0][1])
    label, n = counts.most_common(1)[0]
    if isinstance(value, tuple):
        if len(value) == 3:
            return ""
        value = f"{value[1]} × {value[0]}"
    return f"; {value} is {label!r} {n:,} times of {counts.total():,}"
