"""Which examples train, which choose, which judge: decided by content, so that moving files moves nothing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError, found_in

__all__ = ["PARTS", "SMALL_CLASS_GROUPS", "SMALL_GROUPS", "Split", "folds", "naive_split", "split"]

PARTS = ("train", "val", "test")
TEST_SHARE = 0.15
VAL_SHARE = 0.15
FEWEST_IN_A_PART = 5  # groups of a class; below that the luck of the hash decides too much
SMALL_GROUPS = 300  # in all
SMALL_CLASS_GROUPS = 20

Bytes = NDArray[np.uint8]
Strings = NDArray[np.str_]
Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """The part of each example, and how it came about.

    Attributes:
        part: (N,) "train", "val" or "test".
        half: (N,) "select" or "calibrate" for the examples of the validation part, else "".
        small: too few groups for a held-out part to say much: repeated grouped 5-fold is the honest test.
        by_rank: at least one class was dealt by rank, so that adding examples may move old ones.
        source: where the test score comes from: "given", "cv" or "held-out".
        notes: what a reader must know, as sentences.
        unit: (N,) the number u in [0, 1) of each example's group.
        group_names: (N, 32) the smallest content hash in each example's group.
    """

    part: Strings
    half: Strings
    small: bool
    by_rank: bool
    source: Literal["held-out", "given", "cv"]
    notes: tuple[str, ...]
    unit: Numbers
    group_names: Bytes

    def rows(self, part: str, half: str = "") -> Integers:
        """Indices of the examples of a part, or of one half of the validation part."""
        chosen = self.part == part
        if half:
            chosen &= self.half == half
        return np.flatnonzero(chosen)

    @property
    def n_groups(self) -> int:
        """Groups of near twins, an example on its own being a group of one."""
        return len(np.unique(_columns(self.group_names), axis=0))


def split(
    hashes: Bytes,
    labels: Sequence[str],
    groups: Integers,
    *,
    given: Sequence[str | None] | None = None,
    split_seed: int = 0,
) -> Split:
    """Divide examples into train, validation and test by the hash of their content.

    Groups (near twins, shots of one object) stay together. Parts that are given are kept; what is missing is
    hashed out of the examples that are "train" or have no part.

    Args:
        hashes: (N, 32) SHA-256 of each example's content, without its label.
        labels: (N,) the label of each example; only the rule for small classes looks at them.
        groups: (N,) equal numbers for examples that belong together.
        given: (N,) "train", "val", "test" or None for each example; None for none at all.
        split_seed: another seed gives another split, in [0, 2**64).
    Returns:
        A `Split` that depends on contents and groups only, not on names or order.
    Raises:
        BottegaError: every example has a given part and none of them is "train".
    Source: docs/statistics.md, "The split".
    """
    n_examples = len(hashes)
    if not n_examples == len(labels) == len(groups) or (given is not None and len(given) != n_examples):
        raise ValueError(f"{n_examples} hashes, {len(labels)} labels, {len(groups)} groups: one of each is needed")
    parts = np.array([name or "" for name in given] if given is not None else [""] * n_examples, dtype="<U5")
    pool = (parts == "train") | (parts == "")  # what may still be divided
    if n_examples and not pool.any():
        raise BottegaError(
            found=f"all {n_examples} examples are in the given parts {found_in(sorted(set(parts.tolist())))}",
            expected="some examples to train on",
            fix="put examples in a folder named train, or give no parts",
        )
    names = _group_names(hashes, groups)
    cells = _Groups(names, labels, split_seed)
    missing = {part: not bool((parts == part).any()) for part in ("val", "test")}
    parts[pool] = _hashed(cells.unit[pool], missing)
    few = cells.few_in(parts, pool, missing)
    for rows in few.values():
        chosen = np.flatnonzero(pool & rows)
        parts[chosen] = _ranked(cells, chosen, missing)
    half = _halves(cells, parts)
    countable = np.ones(n_examples, dtype=bool) if missing["test"] else parts != "test"
    small, why_small = cells.small(countable)
    source: Literal["held-out", "given", "cv"] = "given" if not missing["test"] else "cv" if small else "held-out"
    notes = [*why_small, *_rank_notes(list(few)), *_straddle_notes(cells.index, parts)]
    return Split(parts, half, small, bool(few), source, tuple(notes), cells.unit, names)


def folds(
    group_names: Bytes, labels: Sequence[str], *, k: int = 5, repeat: int = 0, split_seed: int = 0
) -> NDArray[np.int64]:
    """Deal groups into k folds, class by class, in the order of a hash.

    Args:
        group_names: (N, 32) the name of each example's group, as in `Split.group_names`.
        labels: (N,) the label of each example.
        k: number of folds.
        repeat: another repeat deals the groups in another order.
        split_seed: as in `split`.
    Returns:
        (N,) fold numbers in [0, k). Group counts of the folds differ by one at most, in all and in each class.
    Raises:
        BottegaError: there are fewer groups than folds.
    """
    cells = _Groups(group_names, labels, split_seed, purpose=b"fold" + repeat.to_bytes(8, "little"))
    if len(cells.group_unit) < k:
        raise BottegaError(
            found=f"{len(cells.group_unit)} group{'s' if len(cells.group_unit) != 1 else ''} of examples",
            expected=f"at least {k}, one for each fold",
            fix="add examples, or group fewer of them together",
        )
    order = np.lexsort((cells.group_unit, cells.group_class))  # by class, then by hash
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = np.arange(len(order)) % k  # goes on counting from class to class: folds of equal size
    return fold[cells.index]


def naive_split(hashes: Bytes, split_seed: int = 0) -> Strings:
    """The part of each example if twins were not kept together: what a naive split would have done.

    Args:
        hashes: (N, 32) content hashes; the second copy of an equal content is drawn on its own.
        split_seed: as in `split`.
    Returns:
        (N,) "train", "val" or "test".
    """
    copies: dict[bytes, int] = {}
    unit = np.empty(len(hashes))
    for row, name in enumerate(_as_bytes(hashes)):
        n_before = copies.get(name, 0)
        copies[name] = n_before + 1
        unit[row] = _numbers(name, split_seed, b"copy%d" % n_before if n_before else b"")[0]
    return _hashed(unit, {"val": True, "test": True})


class _Groups:
    """Groups by name with their class and hash numbers; built once for each split."""

    def __init__(self, names: Bytes, labels: Sequence[str], split_seed: int, *, purpose: bytes = b"") -> None:
        keys, first, index = np.unique(_columns(names), axis=0, return_index=True, return_inverse=True)
        self.index: Integers = index.reshape(-1)  # (N,) the group of each example
        drawn = [_numbers(name, split_seed, purpose) for name in _as_bytes(names[first])]
        numbers = np.array(drawn, dtype=np.float64).reshape(len(keys), 2)
        self.group_unit, self.group_half = numbers[:, 0], numbers[:, 1]
        self.unit: Numbers = self.group_unit[self.index]
        self.classes, of_example = np.unique(np.array(labels, dtype=str), return_inverse=True)
        self.group_class = self._majority(of_example)

    def _majority(self, of_example: Integers) -> Integers:
        """The most frequent class of each group; of equals, the first in the alphabet."""
        pairs, counts = np.unique(np.stack([self.index, of_example]), axis=1, return_counts=True)
        order = np.lexsort((-pairs[1], counts, pairs[0]))  # the last of each group is its majority
        majority = np.zeros(len(self.group_unit), dtype=np.int64)
        majority[pairs[0][order]] = pairs[1][order]
        return majority

    def few_in(self, parts: Strings, pool: NDArray[np.bool_], missing: dict[str, bool]) -> dict[str, NDArray[np.bool_]]:
        """Classes with too few groups in a part that was hashed, with their examples (N,)."""
        hashed = ["train", *(part for part, is_missing in missing.items() if is_missing)]
        if len(hashed) == 1:
            return {}
        few = np.zeros(len(self.classes), dtype=bool)
        present = np.bincount(self.group_class[np.unique(self.index[pool])], minlength=len(self.classes)) > 0
        for part in hashed:
            inside = np.unique(self.index[pool & (parts == part)])
            few |= np.bincount(self.group_class[inside], minlength=len(self.classes)) < FEWEST_IN_A_PART
        return {str(self.classes[c]): (self.group_class == c)[self.index] for c in np.flatnonzero(few & present)}

    def small(self, countable: NDArray[np.bool_]) -> tuple[bool, list[str]]:
        """Whether there are too few groups for a held-out part, and the sentence that says so."""
        inside = np.unique(self.index[countable])
        per_class = np.bincount(self.group_class[inside], minlength=len(self.classes))
        fewest = int(np.argmin(per_class)) if len(per_class) else 0
        if len(per_class) and per_class[fewest] < SMALL_CLASS_GROUPS:
            name, count = str(self.classes[fewest]), int(per_class[fewest])
            return True, [f"small data: {count} independent examples of class {name!r}, under {SMALL_CLASS_GROUPS}"]
        if len(inside) < SMALL_GROUPS:
            return True, [f"small data: {len(inside)} independent examples, under {SMALL_GROUPS}"]
        return False, []


def _hashed(unit: Numbers, missing: dict[str, bool]) -> Strings:
    """Parts by the number u alone; a part that was given takes nothing more."""
    parts = np.full(len(unit), "train", dtype="<U5")
    if missing["test"]:
        parts[unit < TEST_SHARE] = "test"
    if missing["val"]:
        parts[(unit >= TEST_SHARE) & (unit < TEST_SHARE + VAL_SHARE)] = "val"
    return parts


def _ranked(cells: _Groups, rows: Integers, missing: dict[str, bool]) -> Strings:
    """Parts of one class's examples by the rank of their groups: test first, then validation, then train."""
    inside = np.unique(cells.index[rows])
    order = inside[np.argsort(cells.group_unit[inside], kind="stable")]
    n_test = _share(len(order), TEST_SHARE, 2) if missing["test"] else 0
    n_val = _share(len(order), VAL_SHARE, 2 + missing["test"]) if missing["val"] else 0
    of_group = np.full(len(cells.group_unit), "train", dtype="<U5")
    of_group[order[:n_test]] = "test"
    of_group[order[n_test : n_test + n_val]] = "val"
    return of_group[cells.index[rows]]


def _share(n_groups: int, share: float, fewest: int) -> int:
    """A rounded share, at least one group once there are `fewest`."""
    return max(1, int(share * n_groups + 0.5)) if n_groups >= fewest else 0


def _halves(cells: _Groups, parts: Strings) -> Strings:
    """Cut the validation part in two by hash, or by rank in a class too small for that."""
    halves = np.full(len(parts), "", dtype="<U9")
    inside = np.unique(cells.index[parts == "val"])
    is_select = cells.group_half < 0.5
    for c in np.unique(cells.group_class[inside]):
        of_class = inside[cells.group_class[inside] == c]
        n_select = int(is_select[of_class].sum())
        if min(n_select, len(of_class) - n_select) < FEWEST_IN_A_PART:
            ranked = of_class[np.argsort(cells.group_half[of_class], kind="stable")]
            # a hash says which half comes first, so that the odd groups of many small classes don't all land in one
            first = int(cells.group_half[ranked[0]] * 2**40) % 2
            is_select[ranked] = (np.arange(len(ranked)) + first) % 2 == 1
    val = parts == "val"
    halves[val] = np.where(is_select[cells.index[val]], "select", "calibrate")
    return halves


def _group_names(hashes: Bytes, groups: Integers) -> Bytes:
    """(N, 32) the smallest hash among the members of each example's group."""
    columns = _columns(hashes)
    order = np.lexsort((columns[:, 3], columns[:, 2], columns[:, 1], columns[:, 0], groups))
    _, first, inverse = np.unique(np.asarray(groups)[order], return_index=True, return_inverse=True)
    names = np.empty_like(hashes)
    names[order] = hashes[order[first]][inverse.reshape(-1)]
    return names


def _columns(names: Bytes) -> NDArray[np.uint64]:
    """(N, 32) bytes as (N, 4) numbers in the same order as the bytes."""
    return np.ascontiguousarray(names, dtype=np.uint8).reshape(-1, 32).view(">u8").astype(np.uint64)


def _as_bytes(names: Bytes) -> list[bytes]:
    raw = np.ascontiguousarray(names, dtype=np.uint8).tobytes()
    return [raw[start : start + 32] for start in range(0, len(raw), 32)]


def _numbers(name: bytes, split_seed: int, purpose: bytes = b"") -> tuple[float, float]:
    """Two independent numbers in [0, 1) for a group.

    A group's name is a smallest hash, which isn't uniform; hashing it with the seed, and once more, is. 53 bits are
    read, since 64 of them could round up to 1.
    """
    seeded = hashlib.sha256(split_seed.to_bytes(8, "little") + name + purpose).digest()
    digest = hashlib.sha256(seeded).digest()
    first, second = (int.from_bytes(digest[start : start + 8], "little") >> 11 for start in (0, 8))
    return first * 2.0**-53, second * 2.0**-53


def _rank_notes(classes: list[str]) -> list[str]:
    if not classes:
        return []
    why = f"under {FEWEST_IN_A_PART} independent examples in a part"
    return [f"{why} for {found_in(classes)}: dealt by rank within the class, so that adding examples may move old ones"]


def _straddle_notes(index: Integers, parts: Strings) -> list[str]:
    """Given parts are kept as they are, even where twins sit on both sides: say how many."""
    held = np.isin(index, index[parts != "train"]) & (parts == "train")
    groups = len(np.unique(index[held]))
    if not groups:
        return []
    many = "1 group of twins lies" if groups == 1 else f"{groups} groups of twins lie"
    return [f"{many} both in the training part and in a held-out part, as given"]
