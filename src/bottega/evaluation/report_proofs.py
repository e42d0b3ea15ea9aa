"""What was tried on a run's network after its training: a part of the report that is put in later."""

from bottega.evaluation.markup import Html, lines, nest, text
from bottega.evaluation.page import paragraph, table
from bottega.evaluation.wording import is_share, joined, metric_name, number, percent, plural, points
from bottega.problem.refinement_records import Proof, RemedyTrial

__all__ = ["PLACE", "proofs", "with_proof"]

BEGIN, END = "<!-- proofs -->", "<!-- /proofs -->"
PLACE = Html(f"{BEGIN}{END}")  # in a report: where a proof will stand


def with_proof(page: str, proof: Proof) -> str:
    """A report with the proof in its place, instead of an earlier one; as it was where it has no such place."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{proofs(proof)}\n{end}{after}" if begin and end else page


def proofs(proof: Proof) -> Html:
    """The remedies that were tried, what each was worth, and the command with the one that is proved."""
    rows = [
        [
            nest("b", text(one.name)),
            text(one.finding),
            text(change(one)),
            text(gain(one)),
            text(one.verdict if not one.why else f"{one.verdict}: {one.why}"),
        ]
        for one in proof.trials
    ]
    head = ("change", "because of", "without → with", "gain (95\u202f% interval)", "")
    said = (
        f"Each change was trained beside the training as it was, with {plural(len(proof.seeds), 'seed')}, and compared "
        f"on {plural(proof.n, 'validation example')}. The test part was not read. The intervals hold together, over "
        "examples and seeds."
    )
    proved = [one for one in proof.trials if one.verdict == "proved"]
    words = f"Proved: {joined([one.name for one in proved])}." if proved else "No gain is proved."
    return lines(
        [
            nest("h3", text(_heading(proved)), id="proofs"),
            paragraph(f"{said} {words}" if proof.seeds else words),
            table(head, rows, label="Changes that were tried", numbers=(2, 3)),
            *(nest("pre", text(one.command), tabindex="0") for one in proved),
        ]
    )


def _heading(proved: list[RemedyTrial]) -> str:
    return "What mends it, proved" if proved else "What was tried to mend it"


def change(one: RemedyTrial) -> str:
    """The metric without and with the change: "97.1 → 98.0 %"."""
    if one.gain is None or one.before is None or one.after is None:
        return "–"
    named = "" if one.metric == "accuracy" else f" {metric_name(one.metric)}"
    if is_share(one.metric):
        return f"{percent(one.before, sign=False)} → {percent(one.after)}{named}"
    return f"{number(one.before)} → {number(one.after)}{named}"


def gain(one: RemedyTrial) -> str:
    """How much better, with its interval: "0.9 points (0.2 … 1.6)"."""
    if one.gain is None:
        return "–"
    ends = one.gain.low, one.gain.high
    if not is_share(one.metric):
        return f"{number(one.gain.score, *ends)} ({number(ends[0], *ends)} … {number(ends[1], *ends)})"
    low, high = (points(end, *ends, unit=False) for end in ends)
    return f"{points(one.gain.score, *ends)} ({low} … {high})"
