"""`compare`: in what runs differ, how each learnt, and which one is better on the test examples that they share."""

import os
from collections.abc import Sequence
from pathlib import Path

from bottega.errors import BottegaError
from bottega.problem.refinement_records import ComparedRun, CompareRecord, CurveLine
from bottega.workflow.finished_run import FinishedRun, read_finished
from bottega.workflow.recipe_differences import recipe_differences
from bottega.workflow.shared_tests import paired_tests

__all__ = ["compare"]

MOST_RUNS = 12  # whose lines can still be told apart


def compare(runs: Sequence[str | os.PathLike[str]], *, html: str | os.PathLike[str] | None = None) -> CompareRecord:
    """Set runs beside each other: their recipes, their curves, and their answers to the same test examples.

    Args:
        runs: folders of two or more finished runs; each of the others is held against the first.
        html: where to put a page with the curves in one picture; None for nowhere.
    Returns:
        A gain is positive where a run is better than the first; its interval holds together with all others.
    Raises:
        BottegaError: one is no finished run, or they are too few, or one is named twice; the page can't be written.
    """
    _require_several(runs)
    place = None if html is None else _page(html)
    found = [read_finished(run) for run in runs]
    record = CompareRecord(
        tuple(_compared(one) for one in found), recipe_differences(found), paired_tests(found[0], found[1:])
    )
    if place is not None:
        from bottega.evaluation.compare_page import compare_page

        _write(place, compare_page(record))
    return record


def _require_several(runs: Sequence[str | os.PathLike[str]]) -> None:
    if isinstance(runs, str | os.PathLike) or not 2 <= len(runs) <= MOST_RUNS:
        n = 1 if isinstance(runs, str | os.PathLike) else len(runs)
        raise BottegaError(
            found="1 run" if n == 1 else f"{n} runs",
            expected=f"from 2 to {MOST_RUNS} runs",
            fix="bottega compare runs/digits-1 runs/digits-2",
        )
    places = [Path(run).resolve() for run in runs]
    twice = [str(run) for run, place in zip(runs, places, strict=True) if places.count(place) > 1]
    if twice:
        raise BottegaError(
            found=f"the same run twice: {twice[0]!r}", expected="different runs", fix="name each of them once"
        )


def _compared(run: FinishedRun) -> ComparedRun:
    reading = run.kept.reading if run.kept is not None else None
    return ComparedRun(
        run_dir=run.path,
        chosen=run.chosen,
        metric=run.metric,
        test=dict(run.test),
        seconds=run.seconds,
        network=None if run.kept is None else run.kept.network,
        best_epoch=None if reading is None else reading.best_epoch,
        curve=()
        if reading is None
        else tuple(CurveLine(one.epoch, one.fit_loss, one.val_loss, one.val_score) for one in reading.history),
    )


def _page(html: str | os.PathLike[str]) -> Path:
    """The place of the page, checked before any work is done."""
    path = Path(html)
    if path.suffix.lower() not in (".html", ".htm") or not path.parent.is_dir():
        raise BottegaError(
            found=f"page {str(path)!r}", expected="a file .html in a folder that exists", fix="--html compare.html"
        )
    return path


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise BottegaError(
            found=f"{str(path)!r} can't be written: {error.strerror}",
            expected="a folder that can be written to",
            fix="name another place with --html",
        ) from error
