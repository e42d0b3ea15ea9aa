"""How the tests of word vectors look on a terminal: analogies, pairs, associations, a map, a training."""

from collections.abc import Sequence

from bottega.cli.terminal import count, duration, escape, fold
from bottega.cli.words_lines import cut
from bottega.problem.records import Score
from bottega.problem.words import AnalogiesRecord, BiasRecord, MapRecord, PairsRecord, SectionScore, TrainWordsRecord

__all__ = ["score_lines"]


def score_lines(record: AnalogiesRecord | PairsRecord | BiasRecord | MapRecord | TrainWordsRecord) -> list[str]:
    """The lines of what was measured, drawn or trained."""
    if isinstance(record, AnalogiesRecord):
        return _analogies(record)
    if isinstance(record, PairsRecord):
        return _pairs(record)
    if isinstance(record, BiasRecord):
        return _bias(record)
    return _map(record) if isinstance(record, MapRecord) else _trained(record)


def _analogies(record: AnalogiesRecord) -> list[str]:
    first = record.total[0]
    lines = [
        f"{_percent(first.all)} of {count(record.n, 'question')} right, {_ends(first.all)} (3CosAdd; unknown is wrong)",
        f"{_percent(first.usual)} of the {first.usual.n:,} whose words are known, {_ends(first.usual)}",
        "",
        f"{'':<32}{'3CosAdd':>9}{'3CosMul':>9}{'own words':>11}{'questions':>11}{'known':>8}",
        f"{'':<32}{'':>9}{'':>9}{'allowed':>11}",
    ]
    sections: dict[str, dict[tuple[str, str], SectionScore]] = {}
    for one in (*record.sections, *record.total):
        sections.setdefault(one.name, {})[one.rule, one.words] = one
    names = list(sections)
    shown = names if len(names) <= 15 else [*names[:13], names[-1]]
    for name in shown:
        found = sections[name]
        add, mul, own = (found[key] for key in (("cosadd", "without"), ("cosmul", "without"), ("cosadd", "with")))
        lines.append(
            f"{cut(escape(name), 32)}{_percent(add.all):>9}{_percent(mul.all):>9}{_percent(own.all):>11}"
            f"{add.all.n:>11,}{add.usual.n:>8,}"
        )
    more = [f"… and {len(names) - len(shown)} more sections (--json)"] if len(shown) < len(names) else []
    return [*lines, *more, "", *(line for note in record.notes for line in fold("Note", escape(note)))]


def _pairs(record: PairsRecord) -> list[str]:
    def line(name: str, score: Score) -> str:
        return f"  {name:<44} {score.score:>6.3f}   {score.low:.3f} … {score.high:.3f}   {score.n:>6,} pairs"

    return [
        f"{record.spearman.score:.3f}   Spearman's correlation with people's judgements, {escape(record.question)}",
        "",
        line("Spearman, pairs with unknown words left out", record.spearman),
        line("Spearman, unknown words as similarity 0", record.spearman_unknown_zero),
        line("Pearson, pairs with unknown words left out", record.pearson),
        "",
        *(line for note in record.notes for line in fold("Note", escape(note))),
    ]


def _bias(record: BiasRecord) -> list[str]:
    lines = ["Association of two groups of words with two others (WEAT): d, 95 % interval, p", ""]
    for one in record.tests[:8]:
        p = f"p {one.p_value:.3g}" if one.is_exact else f"p {one.p_value:.2g} (drawn)"
        effect = f"{one.effect.score:+.2f}   {one.effect.low:+.2f} … {one.effect.high:+.2f}"
        lines.append(f"  {cut(escape(one.name), 36)} {effect}   {p}")
        lines.append(f"    {escape(' and '.join(one.targets))} with {escape(' and '.join(one.attributes))}"[:80])
    if record.projections:
        ends = record.projections[:3], record.projections[-3:]
        near = [", ".join(f"{escape(p.word)} {p.value:+.2f}" for p in some) for some in ends]
        lines += [
            "",
            *(
                line
                for end, some in zip(record.axis, near, strict=True)
                for line in fold(f"Near {escape(end)}"[:12], some)
            ),
        ]
    told = "d > 0: the first group is nearer to the first attributes. It is how the texts speak, not what is."
    remarks = [told, *record.notes, *(f"plot: {record.plot_path}" for _ in [0] if record.plot_path)]
    return [*lines, "", *(line for note in remarks for line in fold("Note", escape(note)))]


def _map(record: MapRecord) -> list[str]:
    lines = [f"{escape(record.map_path)}   {count(len(record.words), 'word')} on a plane, seed {record.seed}", ""]
    return lines + [line for note in record.notes for line in fold("Note", escape(note))]


def _trained(record: TrainWordsRecord) -> list[str]:
    head = (
        f"{escape(record.vectors_path)}   {count(record.n_words, 'word')} of {record.n_dims} dimensions, "
        f"from {record.n_tokens:,} words of text in {duration(record.seconds)}"
    )
    rows: Sequence[str] = [
        "  epoch "
        + "   ".join(f"{name} {value:.3f}" if name != "epoch" else f"{value:>2}" for name, value in one.items())
        for one in record.scores
        if len(one) > 1
    ]
    notes = [line for note in record.notes for line in fold("Note", escape(note))]
    ask = f"bottega words {escape(record.vectors_path)} --near WORD"
    return [head, "", *rows, *([""] if rows else []), *notes, *fold("Next", ask)]


def _percent(score: Score) -> str:
    return "–" if score.n == 0 else f"{100 * score.score:.1f} %"


def _ends(score: Score) -> str:
    return f"{100 * score.low:.1f} … {100 * score.high:.1f}"
