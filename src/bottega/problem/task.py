"""Which task a set of pictures asks for, decided from counts alone."""

from collections.abc import Mapping

from bottega.problem.records import Task

__all__ = ["image_task"]

_TARGETS = {"npz": "the array y", "csv": "the column label", "built-in": "the digit that was written"}


def image_task(n_per_class: Mapping[str, int], *, n_unlabelled: int = 0, source_kind: str = "folder") -> Task:
    """Infer the task of a set of pictures.

    Args:
        n_per_class: readable pictures of each class.
        n_unlabelled: readable pictures without a class.
        source_kind: where labels come from: folder, zip, tar, npz, csv or built-in.
    Returns:
        A Task whose `kind` is None where there is nothing to tell apart; `why` says what is missing.
    Example:
        >>> image_task({"cat": 10, "dog": 12}).why
        'each picture lies in the folder of one of 2 classes'
    """
    classes = tuple(sorted(label for label, n in n_per_class.items() if n))
    target = _TARGETS.get(source_kind, "the name of the folder")
    if len(classes) >= 2:
        where = "lies in the folder of" if source_kind in ("folder", "zip", "tar") else "has the label of"
        why = f"each picture {where} one of {len(classes):,} classes"
        return Task("classification", "images", target, classes, why)
    if len(classes) == 1:
        why = f"undecided: all pictures are of one class, {classes[0]!r}; there is nothing to tell apart"
    elif n_unlabelled:
        why = "undecided: no picture has a class; put them in one folder a class"
    else:
        why = "undecided: there is no readable picture"
    return Task(None, "images", target if classes else None, classes, why)
