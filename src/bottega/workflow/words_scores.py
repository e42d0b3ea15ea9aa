"""`words --analogies`, `--pairs` and `--bias`: what vectors are worth, and what they associate, with intervals."""

import html
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError
from bottega.evaluation.drawing import Row, intervals, nice_ticks
from bottega.evaluation.intervals import proportion
from bottega.evaluation.markup import Html, nest
from bottega.evaluation.page import document, figure, paragraph, section
from bottega.problem.records import Progress, Score
from bottega.problem.words import AnalogiesRecord, Association, BiasRecord, PairsRecord, Projection, SectionScore
from bottega.vectors.bias import FEWEST, Lists, known_rows, project, read_lists, weat
from bottega.vectors.scoring import (
    N_SEARCHED,
    Analogy,
    Solved,
    correlations,
    ranks,
    read_analogies,
    read_pairs,
    solve,
)
from bottega.vectors.vector_file import VectorFile
from bottega.vectors.word_lists import WordSets
from bottega.workflow.words import facts_of, refuse_seed

__all__ = ["analogies", "bias", "pairs"]

Numbers = NDArray[np.float64]


def analogies(
    file: VectorFile,
    questions: str | os.PathLike[str],
    *,
    n_searched: int = N_SEARCHED,
    progress: Progress | None = None,
) -> AnalogiesRecord:
    """Score analogies by both rules, per section and in all; unknown words skipped as usual, and counted as wrong.

    Args:
        file: the vectors.
        questions: in the format of `questions-words.txt`.
        n_searched: the first words, among which answers are sought.
    """
    path = Path(questions)
    asked = read_analogies(path)
    solved = solve(file, asked, n_searched=n_searched, progress=progress)
    names = list(dict.fromkeys(one.section for one in asked))
    of = np.array([one.section for one in asked])
    sections = [line for name in names for line in _lines(name, asked, solved, of == name)]
    total = _lines("all", asked, solved, np.ones(len(asked), dtype=bool))
    missing = len(asked) - int(solved.known.sum())
    notes = [
        f"{missing:,} of {len(asked):,} questions hold a word that is not among the first {solved.n_searched:,}",
        "intervals count the questions that share their first pair as one group: they are not independent",
    ]
    return AnalogiesRecord(
        path.name, len(asked), missing, solved.n_searched, tuple(sections), tuple(total), tuple(notes), facts_of(file)
    )


def _lines(name: str, asked: Sequence[Analogy], solved: Solved, inside: NDArray[np.bool_]) -> list[SectionScore]:
    groups = np.array([" ".join((one.section, *one.words[:2])) for one in asked])
    known = inside & solved.known
    return [
        SectionScore(
            name, rule, words, proportion(right[known], groups[known]), proportion(right[inside], groups[inside])
        )
        for (rule, words), right in solved.right.items()
    ]


def pairs(file: VectorFile, judged: str | os.PathLike[str], *, n_searched: int = N_SEARCHED) -> PairsRecord:
    """Correlate cosines with what people said; unknown words skipped as usual, and as similarity 0."""
    path = Path(judged)
    found = read_pairs(path)
    values, known = correlations(file, found, n_searched=n_searched)
    human = np.array([pair.value for pair in found])
    if known.sum() < 4:
        raise BottegaError(
            found=f"{int(known.sum())} of {len(found)} pairs with two known words",
            expected="at least four",
            fix="use vectors of more words",
            where=path.name,
        )
    n_unknown = int((~known).sum())
    notes = (
        f"{n_unknown} of {len(found)} pairs hold a word that is not among the first {min(n_searched, file.n_words):,}",
    )
    return PairsRecord(
        path.name,
        len(found),
        n_unknown,
        _correlation(ranks(human[known]), ranks(values[known]), _bonett_wright),
        _correlation(human[known], values[known], lambda _: 1.0),
        _correlation(ranks(human), ranks(values), _bonett_wright),
        notes,
        facts_of(file),
    )


def _bonett_wright(r: float) -> float:
    """What ranks add to the variance of Fisher's z. Source: Bonett and Wright 2000."""
    return 1 + r * r / 2


def _correlation(first: Numbers, second: Numbers, widened: Callable[[float], float]) -> Score:
    """Pearson's correlation with Fisher's interval; of ranks it is Spearman's."""
    n = len(first)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return Score(n, math.nan, -1.0, 1.0)
    r = float(np.corrcoef(first, second)[0, 1])
    reach = NormalDist().inv_cdf(0.975) * math.sqrt(widened(r) / max(n - 3, 1))
    z = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, r)))
    return Score(n, r, math.tanh(z - reach), math.tanh(z + reach), True, n)


def bias(
    file: VectorFile,
    *,
    lists: str | os.PathLike[str] | None = None,
    plot: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> BiasRecord:
    """Measure what the vectors associate with whom, on lists of one's own or on the stated default ones.

    Args:
        file: the vectors.
        lists: JSON of word lists; None for those of `vectors/word_lists.py`.
        plot: `.html` or `.svg` of the words between the two ends.
    """
    refuse_seed(seed)
    stated = read_lists(Path(lists)) if lists is not None else Lists()
    if plot is not None:
        refuse_ending(plot)
    notes = [] if lists is not None else ["English default lists: Caliskan et al. 2017, Bolukbasi et al. 2016"]
    tests = []
    for one in stated.tests:
        test = _association(file, one, seed)
        tests.append(test) if isinstance(test, Association) else notes.append(test)
    known, ends = _known_pairs(file, stated.pairs)
    rows, unknown = known_rows(file, stated.words)
    if unknown:
        notes.append(f"not among the vectors: {', '.join(unknown)}")
    projections: list[Projection] = []
    if len(ends) >= FEWEST and rows:
        projections = project(file, rows, ends, seed=seed)
    elif stated.pairs:
        notes.append(f"no axis: {len(ends)} of {len(stated.pairs)} pairs are known, {FEWEST} are needed")
    if not tests and not projections:
        raise BottegaError(
            found="too few of the lists' words are known to measure anything",
            expected=f"at least {FEWEST} of each set",
            fix="use vectors of more words, or lists of your own: --lists lists.json",
        )
    axis = (known[0][0], known[0][1]) if known else ("", "")
    where = None
    if plot is not None and projections:
        where = str(plot)
        Path(plot).write_text(_plot(projections, axis, len(ends), str(plot).endswith(".svg")), encoding="utf-8")
    return BiasRecord("bias", tuple(tests), axis, tuple(known), tuple(projections), tuple(notes), facts_of(file), where)


def refuse_ending(path: str | os.PathLike[str]) -> None:
    """A picture is .html or .svg, in a folder that is there."""
    place = Path(path)
    if place.suffix not in (".html", ".svg") or not place.parent.is_dir():
        raise BottegaError(
            found=f"-o {str(path)!r}",
            expected="a name that ends in .html or .svg, in a folder that is there",
            fix=f"-o {place.stem or 'plot'}.html",
        )


def _association(file: VectorFile, one: WordSets, seed: int) -> Association | str:
    sets: list[Any] = []
    missing: list[str] = []
    for name, words in (*one.targets, *one.attributes):
        rows, unknown = known_rows(file, words)
        missing += unknown
        if len(rows) < FEWEST:
            few = f"{len(rows)} of {len(words)} words of {name!r} are known, {FEWEST} are needed"
            return f"{one.name!r} was not tested: {few}"
        sets.append(file.units(np.array(rows)))
    found = weat(*sets, seed=seed)
    return Association(
        one.name,
        (one.targets[0][0], one.targets[1][0]),
        (one.attributes[0][0], one.attributes[1][0]),
        Score(len(sets[0]) + len(sets[1]), found.effect, found.low, found.high),
        found.p_value,
        found.n_permutations,
        found.is_exact,
        tuple(missing),
    )


def _known_pairs(
    file: VectorFile, stated: Sequence[tuple[str, str]]
) -> tuple[list[tuple[str, str]], list[tuple[int, int]]]:
    known, ends = [], []
    for pair in stated:
        rows, unknown = known_rows(file, pair)
        if not unknown:
            known.append(pair)
            ends.append((rows[0], rows[1]))
    return known, ends


def _plot(projections: Sequence[Projection], axis: tuple[str, str], n_pairs: int, as_svg: bool) -> str:
    low, high = min(one.low for one in projections), max(one.high for one in projections)
    ticks = [(value, f"{value:g}") for value in nice_ticks(min(low, 0.0), max(high, 0.0))]
    rows = [Row(one.word, one.value, one.low, one.high, f"{one.value:+.2f}") for one in projections]
    first, last = projections[0].word, projections[-1].word
    finding = f"{first} lies nearest to {axis[0]!r}, {last} nearest to {axis[1]!r}"

    def drawn(width: int) -> Html:
        return intervals(rows, ticks, width=width, label=finding, mark=(0.0, "neither"))

    spread = f"intervals (95 %) over the {n_pairs} pairs that define it"
    caption = f"Cosine with the direction from {axis[0]!r} to {axis[1]!r}; {spread}."
    told = "This is how the texts speak that the vectors were made from. It says nothing of what is or should be."
    if as_svg:
        return _alone(drawn(832), caption)
    body = section("ends", finding[0].upper() + finding[1:], paragraph(told), figure(drawn, caption))
    return document("Words between two ends", nest("main", body))


def _alone(svg: Html, caption: str) -> str:
    """The drawing as a file of its own: with the colours that the page's style sheet gives it."""
    style = (
        "text{font:13px Inter,system-ui,sans-serif;fill:#1E1B18}.soft{fill:#5E574F}.grid{stroke:#E4DED4}"
        ".bar{stroke:#8C857B;stroke-width:3}.dot{fill:#8C857B}.mark{stroke:#5E574F;stroke-dasharray:4 4}"
    )
    head, rest = svg.split(">", 1)
    return (
        f'{head} xmlns="http://www.w3.org/2000/svg"><title>{html.escape(caption)}</title><style>{style}</style>{rest}\n'
    )
