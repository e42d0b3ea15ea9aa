"""`look`: what the data are, and what is wrong with them."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bottega.data.checks import find_suspects, labelled, require_trainable
from bottega.data.layout import UNLABELLED
from bottega.data.profile import ImageSet, RowStore, profile
from bottega.data.sources import open_source
from bottega.data.store import Store
from bottega.data.table_names import is_table, is_text_folder
from bottega.data.twins import group_by_name
from bottega.errors import BottegaError
from bottega.problem.records import LookRecord, Progress
from bottega.problem.table import TableChoices
from bottega.problem.task import image_task
from bottega.workflow.estimate import estimate_seconds
from bottega.workflow.extras import missing_extra
from bottega.workflow.refusal import with_refusal
from bottega.workflow.table_options import TableOptions, part_files

__all__ = ["look", "look_record"]

Estimate = Callable[[ImageSet], float | None]


def look(
    data: str | os.PathLike[str],
    target: str | None = None,
    *,
    choices: TableChoices | TableOptions | None = None,
    group_by: str | None = None,
    progress: Progress | None = None,
    store: RowStore | None = None,
    estimate: Estimate | None = estimate_seconds,
) -> LookRecord:
    """Look at a set of pictures, a table or texts: the task, the counts, what was left out and why, twins, suspects.

    Args:
        data: pictures: folder, zip, tar, .npz, CSV of path,label, or the name of a built-in data set; a table: CSV,
            TSV, Parquet, JSON lines, .xlsx, `file.db::table`, or - for standard input.
        target: the column of a table to be predicted.
        choices: all that is stated about a table's columns; a target beside it counts. TableOptions may name the
            column of texts that alone are learned from.
        group_by: regular expression; pictures whose names match alike are one subject.
        store: cache of what was decoded before; None for the user's own.
        estimate: seconds that training would take, from a short probe on these pictures; None leaves it open.
    Raises:
        BottegaError: DATA cannot be opened at all. Bad pictures never raise: they are listed.
    """
    options = choices if isinstance(choices, TableOptions) else TableOptions(choices or TableChoices())
    if target is not None:
        options = replace(options, choices=replace(options.choices, target=target))
    named = [*options.choices.names(), *options.text, *options.also]
    if is_table(data) or is_text_folder(data) or part_files(os.fspath(data)) or (named and os.path.isfile(data)):
        return _look_at_table(os.fspath(data), options, progress)
    if named:
        raise BottegaError(
            found=f"the column {named[0]!r} for {os.fspath(data)!r}, which is no table",
            expected="columns stated for a CSV, TSV, Parquet, JSON lines, .xlsx or SQLite file",
            fix="leave the column out, or give the file",
        )
    images = profile(open_source(data), progress=progress, store=Store() if store is None else store)
    record = look_record(images, group_by=group_by, estimate=estimate)
    return with_refusal(record, lambda: require_trainable(images))


def _look_at_table(data: str, stated: TableOptions, progress: Progress | None) -> LookRecord:
    try:
        from bottega.workflow.look_table import look_at_table
        from bottega.workflow.text_reading import holds_texts
        from bottega.workflow.text_trial import look_at_text_data
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is not None:
            raise missing from error
        raise
    if holds_texts(data, stated):
        return look_at_text_data(data, stated, progress=progress)
    return look_at_table(data, stated.choices, progress=progress)


def look_record(images: ImageSet, *, group_by: str | None = None, estimate: Estimate | None = None) -> LookRecord:
    """The record of a set that was profiled already."""
    chosen = labelled(images)
    counts = Counter(str(images.labels[i]) for i in chosen)
    task = image_task(dict(counts), n_unlabelled=len(images) - len(chosen), source_kind=images.source.kind)
    facts = _facts(images)
    suspects = find_suspects(images)
    if group_by is not None:
        groups = group_by_name(images.names, images.twin_groups, group_by)
        facts["n_groups"] = len(np.unique(groups[chosen]))
        suspects = tuple(s for s in suspects if s.kind != "group")
    seconds = estimate(images) if estimate is not None and task.kind is not None else None
    return LookRecord(
        task=task,
        n_examples=len(chosen),
        n_per_class=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        rejected=images.rejected,
        twins=images.twins,
        suspects=suspects,
        estimate_seconds=seconds,
        n_per_part=_parts(images),
        facts=facts,
    )


def _parts(images: ImageSet) -> dict[str, int]:
    """Pictures of each given part; empty when the source gives none."""
    counts = Counter(part for part in images.parts if part is not None)
    return {part: counts[part] for part in ("train", "val", "test", UNLABELLED) if counts[part]}


def _facts(images: ImageSet) -> dict[str, Any]:
    heights, widths = images.sizes[:, 0], images.sizes[:, 1]
    sizes = Counter(zip(widths.tolist(), heights.tolist(), strict=True)).most_common(5)
    return {
        "name": images.name,
        "source": images.source.kind,
        "sizes": [{"width": width, "height": height, "n": n} for (width, height), n in sizes],
        "n_sizes": len(np.unique(images.sizes, axis=0)),
        "smallest": _extreme(images, smallest=True),
        "largest": _extreme(images, smallest=False),
        "formats": dict(Counter(images.formats).most_common()),
        "modes": dict(Counter(images.modes).most_common()),
        "marks": {fact: list(names) for fact, names in images.marks.items()},
        "notes": list(images.notes),
        "n_groups": len(np.unique(images.twin_groups[labelled(images)])),
        "n_twins": int(sum(n for n in np.bincount(images.twin_groups) if n > 1)) if len(images) else 0,
        "naive_leak": _naive_leak(images),
        "twin_threshold": images.twin_threshold,
        "file_bytes": int(images.file_bytes.sum()),
    }


def _naive_leak(images: ImageSet) -> float | None:
    """Share of test pictures that would have a twin in training if a split put 70 % of the pictures there by lot."""
    groups = images.twin_groups[labelled(images)]
    if len(groups) == 0:
        return None
    others = np.bincount(groups)[groups] - 1
    return float(np.mean(1 - 0.3**others))


def _extreme(images: ImageSet, *, smallest: bool) -> list[int] | None:
    """Width and height of the picture with the fewest or most pixels."""
    if len(images) == 0:
        return None
    areas = images.sizes[:, 0].astype(np.int64) * images.sizes[:, 1]
    i = int(areas.argmin() if smallest else areas.argmax())
    return [int(images.sizes[i, 1]), int(images.sizes[i, 0])]
