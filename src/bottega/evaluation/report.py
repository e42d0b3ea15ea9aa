"""`report.html`: one self-contained page that a manager can read and an expert can check."""

from collections.abc import Iterator
from pathlib import Path

from bottega.errors import BottegaError
from bottega.evaluation.evidence import Evidence, Thumbnail
from bottega.evaluation.markup import Html, lines, nest
from bottega.evaluation.page import Album, document
from bottega.evaluation.report_data import data
from bottega.evaluation.report_drivers import drivers
from bottega.evaluation.report_errors import errors
from bottega.evaluation.report_features import features
from bottega.evaluation.report_score import curves, rivals, verdict
from bottega.evaluation.report_trust import trust
from bottega.evaluation.report_use import affairs, reproduce, use
from bottega.problem.records import TrainRecord

__all__ = ["LIMIT_BYTES", "render", "write_report"]

LIMIT_BYTES = 5_000_000  # a page that can be mailed
_SLACK_BYTES = 20_000


def write_report(record: TrainRecord, evidence: Evidence, path: Path) -> None:
    """Write the report of a run as one HTML file that needs nothing else.

    The page depends on the record and the evidence alone: the same ones give the same bytes.

    Args:
        record: what `train` did.
        evidence: pictures, counts and curves beside it.
        path: the file; written beside it first, then moved, so that a half-written report is never seen.
    Raises:
        BottegaError: the file can't be written.
    """
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_text(render(record, evidence), encoding="utf-8", newline="\n")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise BottegaError(
            found=f"the report could not be written: {error.strerror or error}.",
            expected="a folder that can be written to, with room for 5 MB.",
            fix="free some space or choose another folder, then run the command again; the run itself is kept.",
            where=str(path),
        ) from error


def render(record: TrainRecord, evidence: Evidence, limit_bytes: int = LIMIT_BYTES) -> str:
    """The page as text, under `limit_bytes` when it is encoded: the least important pictures go first."""
    text_only = Album((), 0)
    room = limit_bytes - len(_page(record, evidence, text_only).encode("utf-8")) - _SLACK_BYTES
    pictures = {id(one): one for one in _by_importance(evidence) if id(one) in text_only.asked}.values()
    return _page(record, evidence, Album([one for one in pictures for _ in range(text_only.asked[id(one)])], room))


def _page(record: TrainRecord, evidence: Evidence, album: Album) -> str:
    body = [
        verdict(record, evidence),
        rivals(record, evidence),
        features(record),
        curves(record, evidence, album),
        errors(record, evidence, album),
        drivers(record, evidence),
        trust(record, evidence, album),
        data(record, evidence, album),
        use(record, evidence),
        reproduce(evidence),
        affairs(record, evidence, album.n_left_out),
    ]
    return document(f"{evidence.data_name}: report", Html(nest("main", lines(body))))


def _by_importance(evidence: Evidence) -> Iterator[Thumbnail]:
    """Every picture of the page, the ones that a reader acts on first."""
    if evidence.learning is not None and evidence.learning.sheet is not None:
        yield evidence.learning.sheet
    for mistake in evidence.mistakes:
        yield from (one for one in (mistake.picture, mistake.nearest) if one is not None)
    for group in evidence.conflicts:
        yield from (one.picture for one in group if one.picture is not None)
    if evidence.confusion is not None:
        yield from (
            evidence.confusion.examples[cell]
            for cell in evidence.confusion.wrong
            if cell in evidence.confusion.examples
        )
    for _, members in evidence.suspects:
        yield from (one.picture for one in members if one.picture is not None)
    if evidence.unlabelled is not None:
        yield from (one.picture for one in evidence.unlabelled.pictures if one.picture is not None)
    for group in evidence.twins:
        yield from (one.picture for one in group if one.picture is not None)
