"""`words --map`: words on a plane, as a page or a picture."""

import os
from pathlib import Path

import numpy as np

from bottega.errors import BottegaError
from bottega.evaluation.markup import Html, nest
from bottega.evaluation.page import document, paragraph, section
from bottega.problem.words import MapRecord
from bottega.vectors.algebra import find_words
from bottega.vectors.expression import Term
from bottega.vectors.maps import FEWEST, draw, planes
from bottega.vectors.vector_file import VectorFile
from bottega.workflow.threads import calm_threads
from bottega.workflow.words import facts_of, refuse_seed, respelled
from bottega.workflow.words_scores import refuse_ending

__all__ = ["map_words"]

MOST = 2000  # words; more cannot be read, and t-SNE takes minutes


def map_words(
    file: VectorFile,
    words: str | os.PathLike[str],
    picture: str | os.PathLike[str],
    *,
    seed: int = 0,
    case_sensitive: bool = False,
) -> MapRecord:
    """Draw the words of a file, one a line, by PCA and by t-SNE.

    Args:
        words: path of the list.
        picture: `.html` or `.svg`, written over if it is there.
        seed: of t-SNE.
    Raises:
        BottegaError: an unknown word (its line is told), fewer than three words, another ending.
        ModuleNotFoundError: scikit-learn is not installed (the extra `train`).
    """
    calm_threads()
    refuse_ending(picture)
    refuse_seed(seed)
    asked = _read(Path(words))
    known = []
    for number, word in asked:
        try:
            known += find_words(file, [Term(word, 1.0, 0)], case_sensitive=case_sensitive)
        except BottegaError as error:
            place = f"{Path(words).name}, line {number}"
            raise BottegaError(found=error.found, expected=error.expected, fix=error.fix, where=place) from error
    units = file.units(np.array([word.row for word in known]))
    plane = planes(units, seed=seed)
    kept = sum(plane.variance)
    warning = f"The PCA keeps {100 * kept:.0f} % of the variance of {file.n_dims} dimensions" + (
        ": words that lie together here may be far apart there." if kept < 0.995 else "."
    )
    shown = [word.word for word in known]
    is_page = Path(picture).suffix == ".html"
    svg = draw(shown, plane, seed=seed, warning=warning, stacked=is_page)
    if is_page:
        parts = [paragraph(warning)]
        if len(plane.tsne):
            parts.append(paragraph("t-SNE keeps neighbours, no distances: another seed gives another picture."))
        body = section("map", f"{len(shown)} words of {file.name} on a plane", *parts, Html(svg))
        svg = document("Words on a plane", nest("main", body))
    Path(picture).write_text(svg, encoding="utf-8")
    notes = [warning, *respelled(known)]
    points = [tuple((float(x), float(y)) for x, y in one) for one in (plane.pca, plane.tsne)]
    return MapRecord(
        f"map of {Path(words).name}", tuple(shown), points[0], points[1], plane.variance, seed, str(picture),
        tuple(notes), facts_of(file),
    )  # fmt: skip


def _read(path: Path) -> list[tuple[int, str]]:
    if not path.is_file():
        raise BottegaError(found=f"no file {str(path)!r}", expected="a text with a word a line", fix="check the path")
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BottegaError(
            found="bytes that are no UTF-8",
            expected="a text with a word a line",
            fix="save it as UTF-8",
            where=str(path),
        ) from error
    asked = list({line.strip(): (i, line.strip()) for i, line in enumerate(lines, start=1) if line.strip()}.values())
    if not FEWEST <= len(asked) <= MOST:
        raise BottegaError(
            found="one word" if len(asked) == 1 else f"{len(asked):,} different words",
            expected=f"{FEWEST} to {MOST:,}",
            fix="one word a line",
            where=str(path),
        )
    return asked
