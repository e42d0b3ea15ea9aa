"""The end of a report: how to use the file, how to make it again, and the run's own affairs, folded."""

from bottega.evaluation.evidence import Evidence
from bottega.evaluation.markup import NOTHING, Html, code, lines, nest, text
from bottega.evaluation.page import folded, paragraph, section, table, tabs
from bottega.evaluation.wording import count, duration, file_size
from bottega.problem.records import TrainRecord

__all__ = ["affairs", "reproduce", "use"]

_TELEMETRY = (
    "Recent packages of ONNX Runtime tell their maker which models are run. This command switches that off; in your "
    "own program, set ORT_DISABLE_TELEMETRY=1 before it starts."
)


def use(record: TrainRecord, evidence: Evidence) -> Html:
    """What the file takes, and code for it in each language."""
    if record.model_path is None:
        why = "No file was made, since the score doesn't reach the bar."
        return section("use", "Use it", paragraph(f"{why} Lower the bar or follow the steps above, then train again."))
    size = evidence.model_file.get("bytes")
    said = (
        f"One file, {file_size(size)}, preparation inside."
        if isinstance(size, int)
        else "One file, preparation inside."
    )
    panels = list(evidence.snippets.items())[:8]
    return section(
        "use",
        "Use it",
        paragraph(f"{said} {evidence.prepared}".strip()),
        tabs("use-tab", panels) if panels else NOTHING,
        paragraph(_TELEMETRY, "small-print") if panels else NOTHING,
    )


def reproduce(evidence: Evidence) -> Html:
    """The commands that make it again."""
    if not evidence.reproduce:
        return NOTHING
    return section(
        "reproduce",
        "Make it again",
        paragraph("The same data and recipe give the same file, byte for byte, on the same kind of processor."),
        nest("pre", code("\n".join(evidence.reproduce)), tabindex="0"),
    )


def affairs(record: TrainRecord, evidence: Evidence, n_left_out: int) -> Html:
    """Times, the split, versions, hashes, the recipe."""
    parts = [
        _pairs("Time", {step: duration(seconds) for step, seconds in record.seconds.items()}),
        _pairs("Split", record.split),
        _pairs("File", evidence.model_file),
        _pairs("Versions", evidence.versions),
    ]
    if record.metrics:
        rows = [
            [
                text(metric),
                text(f"{one.score:.6g}"),
                text(f"{one.low:.6g}"),
                text(f"{one.high:.6g}"),
                text(count(one.n)),
            ]
            for metric, one in record.metrics.items()
        ]
        head = ("metric", "value", "low", "high", "n")
        parts.append(lines([nest("h3", Html("Metrics")), table(head, rows, label="Metrics", numbers=(1, 2, 3, 4))]))
    if evidence.recipe:
        parts += [nest("h3", Html("Recipe")), nest("pre", code(evidence.recipe), tabindex="0")]
    left = (
        f"{count(n_left_out)} of the less important pictures were left out to keep this page small."
        if n_left_out
        else ""
    )
    return section(
        "affairs",
        "The run's own affairs",
        paragraph(left, "small-print"),
        folded("Times, split, versions, hashes and the recipe", *parts),
    )


def _pairs(heading: str, facts: object) -> Html:
    """Names and values under each other; nested ones on one line."""
    if not isinstance(facts, dict) and not hasattr(facts, "items"):
        return NOTHING
    pairs = [
        Html(f"<dt>{text(str(key).replace('_', ' '))}</dt><dd>{text(_flat(value))}</dd>")
        for key, value in facts.items()
    ]
    return lines([nest("h3", text(heading)), nest("dl", *pairs, class_="two")]) if pairs else NOTHING


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_flat(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_flat(inner) for inner in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
