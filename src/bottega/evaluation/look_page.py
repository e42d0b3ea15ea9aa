"""`look.html`: what a look at a table found, as one self-contained page of the report's family."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bottega.errors import BottegaError
from bottega.evaluation.drawing import Row, intervals
from bottega.evaluation.look_drawing import histogram, small_histogram
from bottega.evaluation.markup import NOTHING, Html, lines, name, nest, text
from bottega.evaluation.page import document, figure, folded, paragraph, section, table
from bottega.evaluation.wording import count, file_size, in_words, percent, plural
from bottega.problem.records import LookRecord

__all__ = ["render", "write_page"]

N_LINKS, N_CLASSES = 15, 20
Column = dict[str, Any]


def write_page(record: LookRecord, path: Path) -> None:
    """Write the page; the same record gives the same bytes.

    Raises:
        BottegaError: the file can't be written.
    """
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_text(render(record), encoding="utf-8", newline="\n")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise BottegaError(
            found=f"the page could not be written: {error.strerror or error}",
            expected="a folder that can be written to",
            fix="work in another folder",
            where=str(path),
        ) from error


def render(record: LookRecord) -> str:
    """The page as text."""
    facts = record.facts
    body = [
        _top(record),
        _suspects(record),
        _target(record),
        _links(facts["columns"]),
        _copies(record),
        _columns(facts["columns"]),
        _reading(facts["reading"]),
    ]
    return document(f"{facts['name']}: look", Html(nest("main", lines(body))))


def _top(record: LookRecord) -> Html:
    facts = record.facts
    n = len([s for s in record.suspects if s.kind in ("leak", "conflict", "duplicates", "time", "windows", "group")])
    verb = "things" if n != 1 else "thing"
    said = f"{in_words(n).capitalize()} {verb} to settle before a score of {facts['name']} can be believed"
    if n == 0:
        said = f"Nothing in {facts['name']} gives the answer away"
    size = f"{plural(facts['n_rows'], 'row')} of {plural(facts['n_columns'], 'column')}"
    task = record.task
    what = f"{task.kind}: {task.why}" if task.kind else task.why
    head = nest("div", nest("b", text("bottega look")), nest("span", text(size)), class_="top")
    return lines([head, nest("h1", text(said)), paragraph(f"{what}.")])


def _suspects(record: LookRecord) -> Html:
    if not record.suspects:
        return section(
            "suspects", "Nothing suspect was found", paragraph("Every check ran; docs/tables.md lists them.")
        )
    rows = [[nest("b", text(s.kind)), text(s.evidence), text(s.fix)] for s in record.suspects]
    return section(
        "suspects",
        "What may make a score untrue",
        paragraph("Told, not acted on: decide on each. Training measures what it does to the score."),
        table(("kind", "evidence", "what to do"), rows, label="Suspects"),
    )


def _target(record: LookRecord) -> Html:
    column = next((one for one in record.facts["columns"] if one["role"] == "target"), None)
    if column is None:
        return NOTHING
    if record.n_per_class:
        classes = list(record.n_per_class.items())
        most, total = classes[0][1], sum(record.n_per_class.values())
        shown = classes[:N_CLASSES]
        rows = [Row(label, n, 0, n, f"{count(n)}") for label, n in shown]
        share = most / total
        said = f"{classes[0][0]!r} is the commonest answer: {percent(share, share - 0.01, share + 0.01)} of the rows"
        ticks = [(0.0, "0"), (most / 2, count(round(most / 2))), (float(most), count(most))]
        rest = f"; {len(classes) - N_CLASSES} more classes" if len(classes) > N_CLASSES else ""
        drawn = figure(lambda width: intervals(rows, ticks, width=width, label=said), f"rows of each class{rest}")
        return section("target", f"What is to be predicted: {column['name']}", paragraph(f"{said}."), drawn)
    if "histogram" not in column:
        return NOTHING
    low, q1, _, q3, high = column["quantiles"]
    said = f"Half of the rows lie between {q1:,.6g} and {q3:,.6g}; the least is {low:,.6g}, the most {high:,.6g}."
    return section(
        "target",
        f"What is to be predicted: {column['name']}",
        paragraph(said),
        figure(
            lambda width: histogram(column["histogram"], width=width, label=said),
            "rows; what lies outside the central 99\u202f% is counted in the outermost bars",
        ),
    )


def _links(columns: Sequence[Column]) -> Html:
    linked = sorted((one for one in columns if one["link"]), key=lambda one: -one["link"]["share"])[:N_LINKS]
    linked = [one for one in linked if one["link"]["high"] > 0.005]
    if not linked:
        return NOTHING
    rows = [
        Row(
            one["name"],
            max(0.0, one["link"]["share"]),
            max(0.0, one["link"]["low"]),
            max(0.0, one["link"]["high"]),
            percent(max(0.0, one["link"]["share"]), one["link"]["low"], one["link"]["high"]),
            strong=one["link"]["share"] > 0.95,
        )
        for one in linked
    ]
    best = linked[0]
    said = f"{best['name']} alone says most about the target"
    ticks = [(0.0, "0"), (0.25, "25"), (0.5, "50"), (0.75, "75"), (1.0, "100\u202f%")]
    return section(
        "links",
        said,
        figure(
            lambda width: intervals(rows, ticks, width=width, label=said),
            "share of the target's squared error that each column alone removes, on rows it was not fitted on; "
            "the bar is its 95\u202f% interval",
        ),
    )


def _copies(record: LookRecord) -> Html:
    found, conflicts = record.facts["duplicates"], record.facts["conflicts"]
    said = [f"{plural(found['n_extra'], 'row')} repeat an earlier one in every column" if found["n_extra"] else ""]
    if found["n_near"]:
        near = plural(found["n_near"], "row")
        said.append(f"{near} differ from another one in one cell only, mostly in {found['near_column']}")
    if conflicts:
        said.append(f"{plural(conflicts['n_rows'], 'row')} have the same features as another and a different target")
    said = [one for one in said if one]
    if not said:
        return section(
            "copies", "No row stands twice", paragraph("No row repeats another one, and none contradicts one.")
        )
    groups = [
        [
            text(", ".join(twin.members[:6]) + (" …" if len(twin.members) > 6 else "")),
            text(", ".join(sorted(set(twin.labels)))),
        ]
        for twin in record.twins[:50]
    ]
    listed = (
        folded(f"Copies: the first {len(groups)} groups", table(("rows", "target"), groups, label="Copies"))
        if groups
        else NOTHING
    )
    return section(
        "copies", "Rows that repeat or contradict each other", *(paragraph(f"{one}.") for one in said), listed
    )


def _columns(columns: Sequence[Column]) -> Html:
    rows = []
    for one in columns:
        codes = ", ".join(f"{code or 'blank'} {n:,}" for code, n in one["missing"].items())
        outliers = "; ".join(f"row {row:,}: {value:,.6g}" for row, value in one.get("outliers", {}).get("rows", ()))
        named = (
            nest("b", name(one["name"], 40))
            if one["role"] == "feature"
            else Html(f"<b>{name(one['name'], 40)}</b> ({text(one['role'])})")
        )
        rows.append(
            [
                named,
                Html(f'{text(one["kind"])}<br><span class="name">{text(one["why"])}</span>'),
                _drawn(one),
                text(codes or "none"),
                text(outliers or "none"),
            ]
        )
    head = ("column", "taken for, and why", "values", "missing", "far from all others")
    return section("columns", "The columns", table(head, rows, label="Columns"))


def _drawn(one: Column) -> Html:
    if "histogram" in one:
        low, *_, high = one["quantiles"]
        return Html(f'{small_histogram(one["histogram"]["counts"])}<span class="name">{low:,.5g} … {high:,.5g}</span>')
    if one.get("top"):
        shown = ", ".join(f"{value} {n:,}" for value, n in list(one["top"].items())[:4])
        rest = one["n_distinct"] - 4
        return text(shown + (f" and {count(rest)} more" if rest > 0 else ""))
    if one.get("range"):
        return text(f"{one['range'][0][:10]} … {one['range'][1][:10]}")
    return text(f"{count(one['n_distinct'])} different")


def _reading(reading: dict[str, Any]) -> Html:
    facts = [
        ("format", reading["format"]),
        ("size", file_size(reading["n_bytes"]) if reading["n_bytes"] else ""),
        ("delimiter", repr(reading["delimiter"]) if reading["delimiter"] else ""),
        ("encoding", reading["encoding"]),
        ("header", "yes" if reading["header"] else "none"),
        *(("note", note) for note in reading["notes"]),
    ]
    rows = [Html(f"<dt>{text(key)}</dt><dd>{text(value)}</dd>") for key, value in facts if value]
    return section(
        "reading", "How it was read", folded("Everything that was found out", nest("dl", *rows, class_="two"))
    )
