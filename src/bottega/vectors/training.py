"""Train word vectors on a text of one's own: skip-gram with negative sampling and subwords, by gensim."""

import gzip
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError
from bottega.vectors.sources import MAX_DIMS

__all__ = ["Recipe", "Trained", "train_vectors"]

FEWEST_TOKENS = 1000
MAX_WORDS_A_LINE = 10_000  # gensim cuts what is longer without a word
# After few steps all words still point one way: benchmarks/results/*-words_train.jsonl. Long texts need few epochs.
TOKENS_TO_SEE = 5_000_000
FEWEST_EPOCHS, MOST_EPOCHS = 5, 40
MAX_EPOCHS = 10_000

AfterEpoch = Callable[[int, int, list[str], NDArray[np.float32]], None]


@dataclass(frozen=True)
class Recipe:
    """How vectors are trained.

    Attributes:
        n_dims: D.
        window: words on each side that count as near.
        min_count: rarer words are left out.
        epochs: times over the text; None for more over a short text than over a long one.
        seed: of the first numbers and of the sampling.
        negative: made-up neighbours for each true one.
        buckets: places for the letters inside words; None for a number that grows with the text.
    Source: Bojanowski et al. 2017, "Enriching word vectors with subword information".
    """

    n_dims: int = 100
    window: int = 5
    min_count: int = 5
    epochs: int | None = None
    seed: int = 0
    negative: int = 5
    buckets: int | None = None

    def n_epochs(self, n_tokens: int) -> int:
        """Times over a text of so many words."""
        return self.epochs or min(MOST_EPOCHS, max(FEWEST_EPOCHS, math.ceil(TOKENS_TO_SEE / n_tokens)))


@dataclass(frozen=True)
class Trained:
    """The vectors of a text, the most frequent word first."""

    words: list[str]
    rows: NDArray[np.float32]
    n_tokens: int
    seconds: float
    recipe: dict[str, Any]


def train_vectors(corpus: Path, recipe: Recipe, *, after_epoch: AfterEpoch | None = None) -> Trained:
    """Train on a text file, a sentence or paragraph a line; `.gz` is unpacked. One thread, so that a seed repeats.

    Words are what stands between spaces: case and punctuation stay as they are.

    Args:
        after_epoch: called with the epoch's number, how many there will be, the words and their rows so far.
    Raises:
        BottegaError: no such text, or too little of it.
        ModuleNotFoundError: gensim is not installed (the extra `words`).
    """
    _refuse(recipe)
    lines = _Lines(corpus)
    lines.check(recipe.min_count)
    from gensim.models import FastText
    from gensim.models.callbacks import CallbackAny2Vec

    epochs = recipe.n_epochs(lines.n_tokens)
    buckets = recipe.buckets or int(min(2_000_000, max(20_000, 2 ** math.ceil(math.log2(lines.n_tokens)) // 8)))

    class Told(CallbackAny2Vec):  # type: ignore[misc]
        epoch = 0

        def on_epoch_end(self, model: Any) -> None:
            self.epoch += 1
            if after_epoch is not None:
                model.wv.adjust_vectors()  # subwords into words, as at the end of the training
                after_epoch(self.epoch, epochs, model.wv.index_to_key, model.wv.vectors)

    start = time.perf_counter()
    model = FastText(
        vector_size=recipe.n_dims, window=recipe.window, min_count=recipe.min_count, sg=1, hs=0,
        negative=recipe.negative, bucket=buckets, seed=recipe.seed + 1, workers=1,
    )  # fmt: skip
    model.build_vocab(lines)
    model.train(
        lines, total_examples=model.corpus_count, total_words=model.corpus_total_words, epochs=epochs,
        callbacks=[Told()],
    )  # fmt: skip
    stated = asdict(recipe) | {"buckets": buckets, "epochs": epochs, "min_n": 3, "max_n": 6}
    stated["model"] = "fastText skip-gram"
    rows = np.asarray(model.wv.vectors, dtype=np.float32)
    return Trained(list(model.wv.index_to_key), rows, lines.n_tokens, time.perf_counter() - start, stated)


def _refuse(recipe: Recipe) -> None:
    bounds = (("dims", recipe.n_dims, MAX_DIMS, 100), ("epochs", recipe.epochs, MAX_EPOCHS, FEWEST_EPOCHS))
    for name, value, most, usual in bounds:
        if value is not None and not 1 <= value <= most:
            raise BottegaError(found=f"{name} {value}", expected=f"1 to {most:,}", fix=f"--{name} {usual}")


class _Lines:
    """The text as lists of words; read again for each epoch, never held whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n_tokens = 0

    def __iter__(self) -> Iterator[list[str]]:
        with self.path.open("rb") as raw:
            is_packed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(self.path, "rb") if is_packed else self.path.open("rb") as file:
            for line in file:
                words = line.decode("utf-8", "replace").split()
                for start in range(0, len(words), MAX_WORDS_A_LINE):
                    yield words[start : start + MAX_WORDS_A_LINE]

    def check(self, min_count: int) -> None:
        """Refuse what no vectors can come from, before anything is trained."""
        if not self.path.is_file():
            raise BottegaError(found=f"no file {str(self.path)!r}", expected="a text to train on", fix="check the path")
        counts: dict[str, int] = {}
        try:
            for words in self:
                self.n_tokens += len(words)
                for word in words:
                    counts[word] = counts.get(word, 0) + 1
        except (EOFError, gzip.BadGzipFile) as error:
            raise BottegaError(
                found=f"an archive that cannot be unpacked ({error})",
                expected="a whole file",
                fix="fetch it again",
                where=str(self.path),
            ) from error
        n_kept = sum(n >= min_count for n in counts.values())
        if self.n_tokens < FEWEST_TOKENS or n_kept < 10:
            raise BottegaError(
                found=f"a text of {self.n_tokens:,} words, of which {n_kept:,} occur {min_count} times or more",
                expected=f"at least {FEWEST_TOKENS:,} words, and 10 that occur so often; millions for useful vectors",
                fix="add more text, or download vectors that others trained",
                where=str(self.path),
            )
