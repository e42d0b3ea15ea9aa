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
from bottega.vectors.training import Recipe, Trained, train_vectors
from bottega.vectors.vector_file import open_file
from bottega.workflow.words import refuse_seed

__all__ = ["Recipe", "train_words"]

FEW_TOKENS = 100_000_000
ALIKE = 0.6  # mean cosine of two words; of vectors that are of use it is well below


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
    refuse_seed(recipe.seed)
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

    def after_epoch(epoch: int, n_epochs: int, words: list[str], rows: NDArray[np.float32]) -> None:
        if progress is not None:
            progress("training word vectors", epoch, n_epochs)
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
        progress("reading the text", 0, None)
    try:
        trained = train_vectors(Path(corpus), recipe, after_epoch=after_epoch)
        stamp = {"name": out.name, "recipe": trained.recipe, "corpus": Path(corpus).name}
        write_vectors(trained.words, trained.rows, out, stamp)
    finally:
        part.unlink(missing_ok=True)
    alike = _mean_cosine(trained.rows)
    return TrainWordsRecord(
        f"train on {Path(corpus).name}", str(place), trained.n_tokens, len(trained.words), recipe.n_dims,
        trained.recipe["epochs"], recipe.seed, trained.seconds, alike, tuple(scores), trained.recipe,
        _notes(trained, alike),
    )  # fmt: skip


def _notes(trained: Trained, alike: float) -> tuple[str, ...]:
    notes = ["words outside the text have no vector here: the file holds words, not their parts"]
    if trained.n_tokens < FEW_TOKENS:
        notes.append(f"{trained.n_tokens:,} words of text are few: usual vectors were trained on a thousand million")
    if alike > ALIKE:
        epochs = max(2 * trained.recipe["epochs"], Recipe().n_epochs(trained.n_tokens))
        longer = f"train longer (--epochs {epochs}) or on more text"
        notes.append(f"two words at random have a cosine of {alike:.2f}: too little was learnt yet; {longer}")
    return tuple(notes)


def _mean_cosine(rows: NDArray[np.float32]) -> float:
    """Of all pairs of different words: the mean vector's square tells it without going through them."""
    n = len(rows)
    units = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return float((np.square(units.sum(axis=0, dtype=np.float64)).sum() - n) / (n * (n - 1)))
