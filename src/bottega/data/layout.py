"""What the names in a folder mean: the part, the class, the folders below it."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bottega.errors import BottegaError
from bottega.problem.records import Rejected

__all__ = ["UNLABELLED", "Entry", "Layout", "arrange", "refuse_colliding_classes"]

UNLABELLED = "unlabelled"  # the part whose pictures are looked at, and never trained or tested on

_PARTS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val"}
_PARTS |= {"test": "test", "testing": "test"}
_PICTURE_SUFFIXES = frozenset("jpg jpeg jpe jfif png gif bmp dib tif tiff webp ppm pgm pbm pnm heic avif svg".split())
_DROPPINGS = frozenset(("thumbs.db", "desktop.ini", "__macosx", "ehthumbs.db", "icon\r"))


@dataclass(frozen=True)
class Entry:
    """One file or row: `name` is its path inside the source, with `/` between folders."""

    name: str
    label: str | None
    part: str | None  # train, val, test, unlabelled; None where the source gives no parts
    subfolder: str | None = None  # what lies between the class folder and the file


@dataclass(frozen=True)
class Layout:
    """The entries of a source, sorted by name, with what was left out and why."""

    entries: tuple[Entry, ...]
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]


def arrange(names: Iterable[str], *, rejected: Sequence[Rejected] = ()) -> Layout:
    """Read part, class and subfolder from relative file names; the order of `names` does not matter.

    Part folders are stripped first: train, val (valid, dev), test in any case, when a train folder is among them or
    when there are no others; a folder with *unlabelled* in its name is looked at only. The class is the next folder.

    Raises:
        BottegaError: two class names that differ only in case or Unicode form.
    """
    kept, n_hidden = _without_droppings(names)
    tops = {name.split("/")[0] for name in kept if "/" in name}
    parts = _part_folders(tops)
    flat = not tops
    entries: list[Entry] = []
    left_out = list(rejected)
    n_loose = 0
    classless = {part for part in parts.values() if part == "test" and not _has_classes(kept, parts, part)}
    for name in kept:
        entry = _entry(name, parts, flat=flat, classless=classless)
        if isinstance(entry, Entry):
            entries.append(entry)
        elif _looks_like_picture(name) or "/" in name:
            left_out.append(Rejected(name, entry))
        else:
            n_loose += 1  # a README beside the class folders is nobody's picture
    refuse_colliding_classes(entry.label for entry in entries if entry.label is not None)
    notes = _notes(n_hidden, n_loose, bool(classless))
    return Layout(tuple(entries), tuple(sorted(left_out, key=lambda r: r.path)), notes)


def refuse_colliding_classes(labels: Iterable[str]) -> None:
    """Raise when two class names are the same after Unicode NFKC and case folding: one of them is a slip."""
    seen: dict[str, str] = {}
    for label in sorted(set(labels)):
        folded = unicodedata.normalize("NFKC", label).casefold().strip()
        other = seen.setdefault(folded, label)
        if other != label:
            show = repr if unicodedata.normalize("NFC", other) != unicodedata.normalize("NFC", label) else ascii
            raise BottegaError(
                found=f"two class names that differ only in case or Unicode form: {show(other)} and {show(label)}",
                expected="class names that stay different when case and Unicode form are ignored",
                fix="rename one of the two folders (or labels), or move its pictures into the other",
            )


def _without_droppings(names: Iterable[str]) -> tuple[list[str], int]:
    kept, n_hidden = [], 0
    for name in names:
        pieces = name.split("/")
        if any(piece.startswith(".") or piece.lower() in _DROPPINGS for piece in pieces):
            n_hidden += 1
        else:
            kept.append(name)
    return sorted(kept), n_hidden


def _part_folders(tops: Iterable[str]) -> dict[str, str]:
    """Top folder -> part. A class may be called "test": parts need a train folder, or to be all there is."""
    tops = list(tops)
    unlabelled = {top: UNLABELLED for top in tops if re.search("unlabell?ed", top, re.IGNORECASE)}
    named = {top: _PARTS[top.lower()] for top in tops if top.lower() in _PARTS}
    others = [top for top in tops if top not in named and top not in unlabelled]
    if named and ("train" in named.values() or not others):
        return named | unlabelled
    return unlabelled


def _has_classes(names: Iterable[str], parts: dict[str, str], part: str) -> bool:
    tops = tuple(f"{top}/" for top, value in parts.items() if value == part)
    return any(name.count("/") >= 2 for name in names if name.startswith(tops))


def _entry(name: str, parts: dict[str, str], *, flat: bool, classless: set[str]) -> Entry | str:
    """The entry of a file, or why it has none."""
    folders = name.split("/")[:-1]
    if not folders:
        return Entry(name, None, UNLABELLED) if flat else "lies beside the class folders, so it has no class"
    part = parts.get(folders[0])
    if part == UNLABELLED or part in classless:
        return Entry(name, None, UNLABELLED, "/".join(folders[1:]) or None)
    if part is None and any(value != UNLABELLED for value in parts.values()):
        return "lies beside the part folders (train, val, test), so it has no part"
    below = folders[1:] if part else folders
    if not below:
        return f"lies directly in {folders[0]!r}, so it has no class"
    return Entry(name, below[0], part, "/".join(below[1:]) or None)


def _looks_like_picture(name: str) -> bool:
    return name.rpartition(".")[2].lower() in _PICTURE_SUFFIXES


def _notes(n_hidden: int, n_loose: int, classless: bool) -> tuple[str, ...]:
    notes = []
    if n_hidden:
        notes.append(f"{n_hidden:,} hidden or system files (.DS_Store, Thumbs.db and the like) were passed over")
    if n_loose:
        notes.append(f"{n_loose:,} other files beside the class folders were passed over")
    if classless:
        notes.append("the test part has no class folders: its pictures are looked at only")
    return tuple(notes)
