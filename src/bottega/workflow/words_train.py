"""`words --train`: word vectors from a text of one's own, scored as they grow."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError
from bottega.problem.records import Progress
from bottega.problem.words import TrainWordsRecord
from bottega.vectors.convert import write_vectors
from bottega.vectors.scoring import correlations, ranks, read_analogies, read_pairs, solve
from bottega.vectors.training import Recipe, train_vectors
from bottega.vectors.vector_file import open_file

__all__ = ["Recipe", "train_words"]


def train_words(
    corpus: str | os.PathLike[str],
    place: str | os.PathLike[str],
    *,
    recipe: Recipe | None = None,
    analogies: str | os.PathLike[str] | None = None,
    pairs: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> TrainWordsRecord:
    """Train skip-gram vectors with subwords on a text, a sentence or paragraph a line.

    Args:
        corpus: text, also `.gz`; words are what stands between spaces.
        place: of the vectors: a name that ends in `.bottega`.
        recipe: sizes and seed; None for the defaults.
        analogies: questions to ask after each epoch.
        pairs: pairs to correlate after each epoch.
    Raises:
        BottegaError: no such text, too little of it, or a name that is taken.
        ModuleNotFoundError: gensim is not installed (the extra `words`).
    """
    out, recipe = Path(place), recipe or Recipe()
    if out.suffix != ".bottega" or not out.absolute().parent.is_dir():
        raise BottegaError(
            found=f"-o {str(place)!r}",
            expected="a name that ends in .bottega, in a folder that is there",
            fix=f"-o {out.stem or 'vectors'}.bottega",
        )
    if out.exists():
        raise BottegaError(
            found=f"{str(place)!r} is there", expected="a new name", fix="choose another name, or move it"
        )
    tests = (
        None if analogies is None else read_analogies(Path(analogies)),
        None if pairs is None else read_pairs(Path(pairs)),
    )
    scores: list[dict[str, Any]] = []
    part = out.with_name(f".{out.stem}.part.bottega")

    def after_epoch(epoch: int, words: list[str], rows: NDArray[np.float32]) -> None:
        if progress is not None:
            progress("training word vectors", epoch, recipe.epochs)
        score: dict[str, Any] = {"epoch": epoch}
        if any(tests):
            write_vectors(words, rows, part, {"name": out.name})
            file = open_file(part)
            if tests[0]:
                solved = solve(file, tests[0])
                score["analogies"] = float(solved.right["cosadd", "without"].mean())  # unknown words are wrong
            if tests[1]:
                values, known = correlations(file, tests[1])
                human = np.array([pair.value for pair in tests[1]])
                enough = known.sum() >= 4 and np.ptp(values[known]) > 0
                both = np.corrcoef(ranks(human[known]), ranks(values[known])) if enough else None
                score["pairs"] = math.nan if both is None else float(both[0, 1])
        scores.append(score)

    if progress is not None:
        progress("training word vectors", 0, recipe.epochs)
    try:
        trained = train_vectors(Path(corpus), recipe, after_epoch=after_epoch)
        stamp = {"name": out.name, "recipe": trained.recipe, "corpus": Path(corpus).name}
        write_vectors(trained.words, trained.rows, out, stamp)
    finally:
        part.unlink(missing_ok=True)
    return TrainWordsRecord(
        f"train on {Path(corpus).name}", str(place), trained.n_tokens, len(trained.words), recipe.n_dims,
        recipe.epochs, recipe.seed, trained.seconds, tuple(scores), trained.recipe, _notes(trained.n_tokens),
    )  # fmt: skip


def _notes(n_tokens: int) -> tuple[str, ...]:
    note = "words outside the text have no vector here: the file holds words, not their parts"
    few = f"{n_tokens:,} words of text are few: vectors that are of use were trained on a thousand million"
    return (note, few) if n_tokens < 100_000_000 else (note,)
