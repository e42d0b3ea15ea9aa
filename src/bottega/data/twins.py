"""Find pictures that are the same, or nearly: re-encoded, resized, brightened, slightly cropped, of the same shot.

What is compared are the *edges* of a 16 × 16 grey thumbnail: the square roots, with their signs, of the differences
between neighbouring cells, and the cosine between two such vectors. Differences ignore brightness, the cosine ignores
contrast, the root keeps one strong edge (a frame around the picture) from deciding alone; and edges of unrelated
photographs hardly correlate, where the thumbnails themselves do (a bright centre on a dark ground is common).

Two pictures are near twins when the cosine reaches 0.75, or when it reaches 0.50 and one of them, cropped by a
twentieth at a corner or all around, then reaches 0.88. Where the pictures are all much alike (scanned digits, X-rays:
the 95th percentile of the cosine between unrelated ones is above 0.30), likeness proves less, and 0.99 is asked for;
so too where more than ten million pairs would pass. Mirrored, turned and strongly cropped copies are not found, nor
other shots of the same object: `group_by_name` is for those.

The thresholds were set by looking at pairs: of frames of a cartoon, Flickr photos, objects on a table, written digits.
Everything up to the cosine is integer arithmetic (products of small integers are exact in float32 up to 2 ** 24, in
whatever order a processor adds them), so that every machine finds the same twins.
"""

import math
import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from bottega.errors import BottegaError
from bottega.problem.records import Twin

__all__ = ["N_VIEWS", "SIDE", "grey_views", "group_by_name", "group_twins", "twin_records"]

SIDE = 16  # of the grey thumbnail
_ROOTS = np.array([math.isqrt(16 * difference) for difference in range(256)], np.int16)  # 0 … 63
_BASE = 64  # thumbnails are cut from this size
_CUTS = 3  # of 64: a twentieth
_VIEWS = (  # left, top, right, bottom: the whole, all around, four corners
    (0, 0, _BASE, _BASE),
    (_CUTS, _CUTS, _BASE - _CUTS, _BASE - _CUTS),
    (0, 0, _BASE - _CUTS, _BASE - _CUTS),
    (_CUTS, 0, _BASE, _BASE - _CUTS),
    (0, _CUTS, _BASE - _CUTS, _BASE),
    (_CUTS, _CUTS, _BASE, _BASE),
)
N_VIEWS = len(_VIEWS)

NEAR = 0.75
CROPPED = 0.88
CANDIDATE = 0.50
STRICT = 0.99
ALIKE = (
    0.30  # 95th percentile of the cosine between unrelated pictures: photographs .19 … .23, written digits .40 … .63
)
_SAMPLE = 512  # pictures that the percentile is taken from, by hash: the same ones wherever the files lie
_FLAT = 16 * 240  # sum of squared edges, 16 × that of the differences; below it a picture is one tone and some noise

_ROWS, _COLUMNS = 1024, 8192  # of a block of cosines: 32 MB
_ROUNDING = 1e-3  # what float32 may lose of a cosine, many times over
_WORTH_SHORTENING = 0.9
_LEADING = 63  # directions
_FEW = 2048  # pictures
_MAX_PAIRS = 10_000_000  # 200 MB
GROUP_CAP = 50  # a group that is larger than this and than a twentieth of all is divided by a stricter threshold

Integers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


def grey_views(picture: Image.Image) -> Bytes:
    """Six grey thumbnails (6, 16, 16) of an RGB picture of 64 × 64: the whole, then cropped by a twentieth."""
    grey = picture.convert("L")
    sheet = Image.new("L", (SIDE, N_VIEWS * SIDE))  # read once: numpy's way into a picture is longer than a resize
    for number, box in enumerate(_VIEWS):
        sheet.paste(grey.resize((SIDE, SIDE), Image.Resampling.BOX, box=box), (0, number * SIDE))
    return np.asarray(sheet).reshape(N_VIEWS, SIDE, SIDE)


def group_twins(views: Bytes, hashes: Bytes) -> tuple[Integers, float]:
    """Put twins into groups.

    Groups are the connected components of the pairs. Against chains (a like b, b like c …) over unlike pictures, a
    component of more than 50 members and a twentieth of all is divided again, by a threshold half as far from 1 each
    time.

    Args:
        views: (N, 6, 16, 16) from `grey_views`.
        hashes: (N, 32) content hashes; equal ones are twins whatever they show.
    Returns:
        Group numbers (N,), counted from 0 in the order of first members; and the threshold that was used.
    """
    n_pictures = len(hashes)
    if n_pictures == 0:
        return np.zeros(0, np.int64), NEAR
    _, first, same = np.unique(_keys(hashes), return_index=True, return_inverse=True)
    edges = _edges(views[first, 0])
    threshold = STRICT if _all_alike(edges) else NEAR
    found = None
    if threshold == NEAR:
        found = _loose_pairs(views[first], edges)
    if found is None:
        threshold = STRICT
        found = _near_pairs(edges, STRICT) or _near_pairs(edges, 1.0)
    pairs, cosines = found or (np.zeros((0, 2), np.int64), np.zeros(0, np.float32))
    cap = max(GROUP_CAP, n_pictures // 20)
    groups = _capped_components(len(first), pairs, cosines, cap, threshold)
    return _renumbered(groups[same.reshape(-1)]), threshold


def group_by_name(names: Sequence[str], groups: Integers, pattern: str) -> Integers:
    """Join groups whose names match a pattern with the same result: one shot, one subject.

    Args:
        names: (N,) paths inside the source.
        groups: (N,) group numbers to start from.
        pattern: regular expression, searched in each name; its groups, or the whole match, name the subject. A name
            that does not match stays in its own group.
    Raises:
        BottegaError: the pattern is no regular expression, or matches no name.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise BottegaError(
            found=f"--group-by {pattern!r}: {error}",
            expected="a regular expression such as '(scan_\\d+)', searched in the path of each picture",
            fix="mend the expression",
        ) from error
    joined: list[tuple[int, int]] = []
    seen: dict[tuple[str | None, ...], int] = {}
    for name, group in zip(names, groups.tolist(), strict=True):
        match = compiled.search(name)
        if match is not None:
            key = match.groups() or (match.group(),)
            joined.append((seen.setdefault(key, group), group))
    if not seen and names:
        raise BottegaError(
            found=f"--group-by {pattern!r} matches none of {len(names):,} names",
            expected=f"a pattern that is found in names such as {names[0]!r}",
            fix="try it on one name first",
        )
    n_groups = int(groups.max()) + 1 if len(groups) else 0
    return _renumbered(_components(n_groups, np.array(joined, np.int64).reshape(-1, 2))[groups])


def twin_records(names: Sequence[str], labels: Sequence[str | None], hashes: Bytes, groups: Integers) -> list[Twin]:
    """Describe twins: conflicts first, then exact before near, larger groups before smaller, then by name.

    A group with two or more different contents is one near record; equal contents are an exact record of their own.
    """
    twins: list[Twin] = []
    _, same = np.unique(_keys(hashes), return_inverse=True)
    same = same.reshape(-1)
    for members in _members(groups):
        distinct = np.unique(same[members])
        if len(distinct) > 1:
            twins.append(_twin("near", members, names, labels))
        for content in distinct if len(distinct) < len(members) else ():
            copies = members[same[members] == content]
            if len(copies) > 1:
                twins.append(_twin("exact", copies, names, labels))
    return sorted(twins, key=lambda t: (not t.is_conflict, t.kind != "exact", -len(t.members), t.members))


def _twin(kind: str, members: Integers, names: Sequence[str], labels: Sequence[str | None]) -> Twin:
    chosen = tuple(names[i] for i in members)
    return Twin("exact" if kind == "exact" else "near", chosen, tuple(labels[i] or "" for i in members))


def _members(groups: Integers) -> Iterator[Integers]:
    """Indices of each group of two or more, ascending."""
    order = np.argsort(groups, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if len(members) > 1:
            yield members


def _keys(hashes: Bytes) -> npt.NDArray[np.void]:
    return np.ascontiguousarray(hashes).view("V32").reshape(-1)


def _edges(thumbs: Bytes) -> npt.NDArray[np.int8]:
    """Signed roots of the differences of neighbouring cells: (N, 16, 16) -> (N, 480), each within ± 63."""
    cells = thumbs.astype(np.int16)
    across = np.diff(cells, axis=2).reshape(len(cells), SIDE * (SIDE - 1))
    down = np.diff(cells, axis=1).reshape(len(cells), SIDE * (SIDE - 1))
    both = np.concatenate([across, down], axis=1)
    edges: npt.NDArray[np.int8] = (np.sign(both) * _ROOTS[np.abs(both)]).astype(np.int8)
    return edges


def _lengths(edges: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    """Euclidean length of each row; infinite for an even tone, which so is near to nothing."""
    squares = np.einsum("ij,ij->i", edges, edges, dtype=np.int64)
    return np.where(squares < _FLAT, np.inf, np.sqrt(squares)).astype(np.float32)


def _all_alike(edges: npt.NDArray[np.int8]) -> bool:
    """Whether unrelated pictures of this set look alike; `edges` are in the order of the hash, without duplicates."""
    sample = edges[:_SAMPLE].astype(np.float32)
    if len(sample) < 10:
        return False
    lengths = _lengths(edges[:_SAMPLE])
    cosines = (sample @ sample.T / (lengths[:, None] * lengths))[np.triu_indices(len(sample), 1)]
    unrelated = np.sort(cosines[cosines < 0.97])  # without the twins, which say nothing about the others
    return len(unrelated) > 0 and bool(unrelated[int(0.95 * (len(unrelated) - 1))] > ALIKE)


_Pairs = tuple[Integers, npt.NDArray[np.float32]]  # (P, 2) with i < j, and their cosines (P,)


def _loose_pairs(views: Bytes, edges: npt.NDArray[np.int8]) -> _Pairs | None:
    """Pairs by the rule for varied pictures, or None when there are too many for it to mean anything."""
    found = _near_pairs(edges, CANDIDATE)
    if found is None:
        return _near_pairs(edges, NEAR)
    pairs, cosines = found
    doubtful = np.flatnonzero(cosines < NEAR)
    cropped = _cropped_cosines(views, edges, pairs[doubtful])
    cosines[doubtful] = np.where(cropped >= CROPPED, np.float32(NEAR), np.float32(0))  # as weak as the weakest pair
    kept = cosines >= np.float32(NEAR)
    return pairs[kept], cosines[kept]


def _near_pairs(edges: npt.NDArray[np.int8], threshold: float) -> _Pairs | None:
    """The pairs whose cosine reaches the threshold; None when there are more than ten million.

    A product in float32 tells who may reach it; for those the whole numbers decide.
    """
    lengths = _lengths(edges)
    units = _bounding_units(edges, lengths, threshold)
    pairs: list[Integers] = [np.zeros((0, 2), np.int64)]
    cosines: list[npt.NDArray[np.float32]] = [np.zeros(0, np.float32)]
    n_pairs = 0
    for start in range(0, len(edges), _COLUMNS):
        right = units[start : start + _COLUMNS].T.copy()
        for top in range(0, min(start + _COLUMNS, len(edges)), _ROWS):
            bounds = units[top : top + _ROWS] @ right
            may = np.flatnonzero(bounds.reshape(-1) >= np.float32(threshold - _ROUNDING))
            rows, columns = may // bounds.shape[1] + top, may % bounds.shape[1] + start
            later = rows < columns
            rows, columns = rows[later], columns[later]
            kept, found = _exact(edges, lengths, rows, columns, threshold)
            n_pairs += len(found)
            if n_pairs > _MAX_PAIRS:
                return None
            pairs.append(np.stack([rows[kept], columns[kept]], axis=1))
            cosines.append(found)
    return np.concatenate(pairs), np.concatenate(cosines)


def _bounding_units(
    edges: npt.NDArray[np.int8], lengths: npt.NDArray[np.float32], threshold: float
) -> npt.NDArray[np.float32]:
    """Vectors (N, K) whose products are at least the cosines: the edges at length 1, shortened where that can pay.

    A high threshold is told from a few leading directions: what the others add to a product is at most the product of
    what is left of the two lengths (Cauchy and Schwarz). Which directions they are decides the time and nothing else.
    """
    units: npt.NDArray[np.float32] = (edges / lengths[:, None]).astype(np.float32)
    if threshold < _WORTH_SHORTENING or len(edges) < _FEW:
        return units
    sample = units[:: -(-len(units) // _FEW)]
    _, directions = np.linalg.eigh(sample.T @ sample)  # ascending
    leading = units @ directions[:, -_LEADING:]
    left = np.square(units).sum(1) - np.square(leading).sum(1)
    rest: npt.NDArray[np.float32] = np.sqrt(np.maximum(left, 0)).astype(np.float32)
    return np.column_stack([leading, rest]).astype(np.float32)


def _exact(
    edges: npt.NDArray[np.int8], lengths: npt.NDArray[np.float32], rows: Integers, columns: Integers, threshold: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """Which of the pairs (P,) reach the threshold, and the cosines of those."""
    kept = np.zeros(len(rows), bool)
    cosines: list[npt.NDArray[np.float32]] = [np.zeros(0, np.float32)]
    for start in range(0, len(rows), 4096):
        left, right = rows[start : start + 4096], columns[start : start + 4096]
        dots = np.einsum("ij,ij->i", edges[left].astype(np.float32), edges[right].astype(np.float32))
        reached = dots >= np.float32(threshold) * lengths[left] * lengths[right]
        kept[start : start + 4096] = reached
        cosines.append((dots / (lengths[left] * lengths[right]))[reached])
    return kept, np.concatenate(cosines)


def _cropped_cosines(views: Bytes, edges: npt.NDArray[np.int8], pairs: Integers) -> npt.NDArray[np.float32]:
    """The best cosine of each pair (P,) when one of the two is cropped."""
    best = np.zeros(len(pairs), np.float32)
    if len(pairs) == 0:
        return best
    lengths = _lengths(edges)
    for view in range(1, N_VIEWS):
        cropped = _edges(views[:, view])
        cropped_lengths = _lengths(cropped)
        for start in range(0, len(pairs), 4096):
            block = slice(start, start + 4096)
            for whole, cut in (pairs[block].T, pairs[block, ::-1].T):
                dots = np.einsum("ij,ij->i", edges[whole].astype(np.float32), cropped[cut].astype(np.float32))
                best[block] = np.maximum(best[block], dots / (lengths[whole] * cropped_lengths[cut]))
    return best


def _components(n: int, pairs: Integers) -> Integers:
    """The smallest member of each vertex's component (n,), by spreading minima along the pairs."""
    roots = np.arange(n)
    while len(pairs):
        ends = roots[pairs]
        pairs = pairs[ends[:, 0] != ends[:, 1]]
        ends = roots[pairs]
        np.minimum.at(roots, ends.max(axis=1), ends.min(axis=1))
        while not np.array_equal(roots, roots[roots]):
            roots = roots[roots]
    return roots


def _capped_components(
    n: int, pairs: Integers, cosines: npt.NDArray[np.float32], cap: int, threshold: float
) -> Integers:
    roots = _components(n, pairs)
    numbers, sizes = np.unique(roots, return_counts=True)
    large = numbers[sizes > cap]
    if len(large) == 0 or threshold > 0.999:
        return roots
    inside = np.isin(roots[pairs[:, 0]], large)
    stricter = 1 - (1 - threshold) / 2
    kept = inside & (cosines >= stricter)
    divided = _capped_components(n, pairs[kept], cosines[kept], cap, stricter)
    return np.where(np.isin(roots, large), divided, roots)


def _renumbered(groups: Integers) -> Integers:
    """Numbers from 0 in the order of first appearance."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse.reshape(-1)]
