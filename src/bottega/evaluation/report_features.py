"""What was made of a table's columns, and what it was worth: a part of the report of `train --features`."""

from collections.abc import Sequence

from bottega.evaluation.markup import NOTHING, Html, lines, name, text
from bottega.evaluation.page import folded, paragraph, section, table
from bottega.evaluation.wording import count, percent, percent_range, plural
from bottega.problem.records import FeatureGain, FeatureRecord, TrainRecord

__all__ = ["features"]


def features(record: TrainRecord) -> Html:
    """The kept features with their gains, and those that came closest; nothing where none were asked for."""
    found = record.features
    if found is None:
        return NOTHING
    if not found.n_tried:
        return section("features", "Made features", paragraph(found.said))
    if not found.kept:
        return section("features", "Made features", paragraph(found.said), _how(found), _closest(found))
    heading = f"Kept, of {count(found.n_tried)} that were thought of"
    return section(
        "features",
        "Made features",
        paragraph(
            f"{plural(len(found.kept), 'made feature')} proved to help: made inside the file, of the table's own "
            "columns."
        ),
        _gains(found.kept, heading),
        _how(found),
        _closest(found),
    )


def _gains(gains: Sequence[FeatureGain], label: str) -> Html:
    rows = [
        [
            name(one.words, 100),
            text(percent(one.gain.score, one.gain.low, one.gain.high)),
            text(percent_range(one.gain.low, one.gain.high)),
        ]
        for one in gains
    ]
    return table(("feature", "errors fall by", "95\u202f% interval"), rows, label=label, numbers=(1, 2))


def _how(found: FeatureRecord) -> Html:
    return paragraph(
        f"Each gain is beside the features above it: the share of the {found.errors} of quick models that it took "
        f"away, in cross-validation on {plural(found.n_rows, 'row')} that were trained on. A feature is kept only if "
        f"its gain stands after a correction for all {count(found.n_tried)}. The test part had no say.",
        "small-print",
    )


def _closest(found: FeatureRecord) -> Html:
    if not found.closest:
        return NOTHING
    return folded("Came closest, and not proved", lines([_gains(found.closest, "Not proved")]))
