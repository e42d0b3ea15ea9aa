"""The data part of a report: a list to work through, by name and with pictures, rather than statistics to admire."""

from collections.abc import Sequence

from bottega.evaluation.evidence import Evidence, Member
from bottega.evaluation.markup import NOTHING, Html, lines, name, nest, text
from bottega.evaluation.page import Album, folded, paragraph, section, table
from bottega.evaluation.wording import count, joined, plural
from bottega.problem.records import TrainRecord, Twin

__all__ = ["data", "where_twins_are"]

_NAMES, _GROUPS, _OPEN = 200, 24, 12  # names listed, groups shown, and how long a list may be before it is folded
_MEMBERS = 12
_REJECTED = {"row": "row without a target", "text": "text without a label"}  # where an example is no file
_SAME = {"row": "the same", "text": "the same but for case, numbers and punctuation"}


def data(record: TrainRecord, evidence: Evidence, album: Album) -> Html:
    """What was found, where, what was done; then each list."""
    rows = [
        _rejected_row(record, evidence.noun),
        *([] if record.interval else [_conflicts_row(record, evidence)]),
        *_twins_rows(record, evidence.noun),
        *_suspects_row(record, evidence),
    ]
    balance = _balance_row(evidence)
    summary = table(
        ("what was found", "where", "what was done"),
        rows + ([balance] if balance else []),
        label="What was found in the data",
    )
    return section(
        "data",
        "The data",
        summary,
        _rejected(record, evidence.noun),
        _groups(
            "conflicts",
            "Labels that contradict each other",
            "The same picture stands under two classes. Decide for one and delete or move the other.",
            evidence.conflicts,
            album,
        ),
        _suspects(record, evidence, album),
        _groups(
            "twins",
            "Near-twins (near-duplicates)",
            "Pictures so alike that knowing one gives the other away.",
            evidence.twins,
            album,
            fold=True,
        ),
    )


def _found(tone: str, words: str, anchor: str = "") -> Html:
    inside = nest("a", text(words), href=f"#{anchor}") if anchor else text(words)
    return nest("span", inside, class_=f"{tone}-word")


def _rejected_row(record: TrainRecord, noun: str) -> list[Html]:
    if not record.rejected:
        if noun == "row":
            return [_found("good", "no row left out"), text("every row has a target"), text("nothing to do")]
        return [_found("good", "no unreadable file"), text("every file could be read"), text("nothing to do")]
    first = record.rejected[0]
    where = Html(f"{name(first.path, 60)}: {text(first.reason)}")
    if len(record.rejected) > 1:
        where = Html(f"{where}, and {count(len(record.rejected) - 1)} more")
    return [
        _found("accent", plural(len(record.rejected), _REJECTED.get(noun, "unreadable file")), "rejected"),
        where,
        text("left out; listed below"),
    ]


def _conflicts_row(record: TrainRecord, evidence: Evidence) -> list[Html]:
    n = max(sum(twin.is_conflict for twin in record.twins), len(evidence.conflicts))
    if not n:
        return [
            _found("good", "no label conflicts"),
            text(f"no {evidence.noun} stands under two classes"),
            text("nothing to do"),
        ]
    where = text(f"the same {evidence.noun} under two classes")
    done = text(f"{where_twins_are(record)}; listed below to decide")
    return [_found("watch", plural(n, "label conflict"), "conflicts" if evidence.conflicts else ""), where, done]


def where_twins_are(record: TrainRecord) -> str:
    """Where examples that are alike went."""
    given = record.test.get("source") == "given"
    return "left where they were, since the parts were given" if given else "kept on one side of the split"


def _twins_rows(record: TrainRecord, noun: str) -> list[list[Html]]:
    if not record.twins:
        return [
            [
                _found("good", "no twins"),
                text(f"no two {noun}s are {_SAME.get(noun, 'nearly the same')}"),
                text("nothing to do"),
            ]
        ]
    rows, done = [], text(where_twins_are(record))
    for kind, words in (("exact", "exact copy"), ("near", "near-twin")):
        groups: list[Twin] = [twin for twin in record.twins if twin.kind == kind]
        if groups:
            n = sum(len(twin.members) for twin in groups)
            nouns = "exact copies" if kind == "exact" else None
            where = text(f"in {plural(len(groups), 'group')}")
            rows.append([_found("watch", plural(n, words, nouns)), where, done])
    return rows


def _suspects_row(record: TrainRecord, evidence: Evidence) -> list[list[Html]]:
    suspects = [one for one, _ in evidence.suspects] or list(record.suspects)
    if not suspects:
        return [[_found("good", "no suspects"), text("nothing gives the answer away"), text("nothing to do")]]
    kinds = joined(sorted({one.kind for one in suspects}))
    return [
        [
            _found("watch", plural(len(suspects), "suspect"), "suspects"),
            text(kinds),
            text("told, not acted on; listed below"),
        ]
    ]


def _balance_row(evidence: Evidence) -> list[Html] | None:
    sizes = evidence.n_per_class
    if not sizes:
        return None
    few = min(sizes, key=lambda label: (sizes[label], label))
    many = max(sizes, key=lambda label: (sizes[label], label))
    if sizes[many] <= 3 * max(1, sizes[few]):
        return [
            _found("good", "balance"),
            text(f"{_between(sizes[few], sizes[many])} a class"),
            text("nothing to do"),
        ]
    where = Html(f"from {count(sizes[few])} ({name(few, 40)}) to {count(sizes[many])} ({name(many, 40)}) a class")
    return [_found("watch", "uneven classes"), where, text("scores are told class by class")]


def _between(few: int, many: int) -> str:
    return count(few) if few == many else f"{count(few)} to {count(many)}"


def _rejected(record: TrainRecord, noun: str) -> Html:
    if not record.rejected:
        return NOTHING
    rows = [[name(one.path), text(one.reason)] for one in record.rejected[:_NAMES]]
    heading = "Rows that were left out" if noun == "row" else "Files that were left out"
    head = (noun if noun == "row" else "file", "why it was left out")
    listed = [table(head, rows, label=heading)]
    if len(record.rejected) > _NAMES:
        listed.append(
            paragraph(f"{count(len(record.rejected) - _NAMES)} more: the run's JSON record lists all.", "small-print")
        )
    if len(record.rejected) > _OPEN:
        return folded(f"{heading}: {count(len(record.rejected))}", *listed, anchor="rejected")
    return lines([nest("h3", text(heading), id="rejected"), *listed])


def _suspects(record: TrainRecord, evidence: Evidence, album: Album) -> Html:
    """What may make the score untrue: where, the evidence, what would settle it."""
    suspects = evidence.suspects or tuple((one, ()) for one in record.suspects)
    if not suspects:
        return NOTHING
    rows = [
        [nest("b", text(one.kind)), name(one.where), text(one.evidence), text(one.fix)] for one, _ in suspects[:_NAMES]
    ]
    shown = [_group(members, album) for _, members in suspects[:_GROUPS] if members]
    return lines(
        [
            nest("h3", text("What may make the score untrue or wide"), id="suspects"),
            table(("kind", "where", "evidence", "what to do"), rows, label="Suspects"),
            *shown,
        ]
    )


def _groups(
    anchor: str, heading: str, sentence: str, groups: Sequence[Sequence[Member]], album: Album, *, fold: bool = False
) -> Html:
    """Groups of pictures that belong together, the first ones shown."""
    if not groups:
        return NOTHING
    shown = [_group(members, album) for members in groups[:_GROUPS]]
    if len(groups) > _GROUPS:
        shown.append(
            paragraph(f"{count(len(groups) - _GROUPS)} more groups are in the run's JSON record.", "small-print")
        )
    if fold:
        return folded(
            f"{heading}: {plural(len(groups[:_GROUPS]), 'group')} to look at",
            paragraph(sentence),
            *shown,
            anchor=anchor,
        )
    return lines([nest("h3", text(heading), id=anchor), paragraph(sentence), *shown])


def _group(members: Sequence[Member], album: Album) -> Html:
    parts = []
    for one in members[:_MEMBERS]:
        label = nest("b", name(one.label, 40)) if one.label else NOTHING
        words = nest("figcaption", label, nest("span", name(one.name, 60), class_="name"))
        parts.append(nest("figure", album.show(one.picture), words))
    if len(members) > _MEMBERS:
        parts.append(nest("p", text(f"and {count(len(members) - _MEMBERS)} more"), class_="small-print"))
    return nest("div", *parts, class_="group")
