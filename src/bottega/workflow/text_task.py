"""What every candidate for texts needs to know beside its rows."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bottega.data.text_characters import TextPreparation
from bottega.data.text_codes import CodedTexts
from bottega.data.wordpiece import MAX_PIECES
from bottega.evaluation.calibration import apply_temperature, fit_temperature
from bottega.evaluation.text_models import TermCounts
from bottega.models.sentence import SentenceNetwork
from bottega.models.text_plans import TEXT_PLANS, planned_epochs
from bottega.workflow.text_features import token_keys
from bottega.workflow.text_vectors import VECTORS, VECTORS_AND_WORDS, KnownWords

__all__ = ["BOTH", "CODES", "FINE_TUNED", "NAMES", "PIECES", "SENTENCE", "TextTask"]

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CODES, SENTENCE, BOTH, PIECES = "codes", "sentence", "codes and sentence", "pieces"  # the views
FINE_TUNED = "sentence network, fine-tuned"
SCRATCH = ("bag of embeddings", "convolutional network", "LSTM")
NAMES = {  # of the choices of --network
    **dict(zip(("bag", "cnn", "lstm"), SCRATCH, strict=True)),
    "finetune": FINE_TUNED,
}  # fmt: skip
PRETRAINED = "pretrained"  # the choice of --network for whatever stands on frozen sentence features
ON_SENTENCES = ("sentence network", "sentence network and words")
FITS = 60  # about, of a candidate that is compared within the folds of a cross-validation
CHARACTERS_OF_A_PIECE = 4  # about, in English
DESCRIBED_A_SECOND = 4_000  # about, on two cores: word pieces through the frozen sentence network
PIECES_A_SECOND = 1_000  # about, on two cores: word pieces, all epochs of fine-tuning in one
TOKENS_A_SECOND = 50_000  # about, on one core: tokens of one epoch from scratch
MOST_SECONDS = 600.0
SHARE = 0.4  # of the stated time that one slow network may take


@dataclass(frozen=True)
class TextTask:
    """The texts as numbers, and what was asked for.

    Attributes:
        codes: of all texts.
        counts: of the same rows.
        threads: cores that one fit may use.
        preset, wanted, asked, time_seconds: the choices of --preset, --network, --ship and --time.
        in_folds: whether all texts answer in a cross-validation.
        is_unasked: whether the sentence network is installed, and isn't wanted.
        network: the sentence network; None where it isn't installed.
        vectors: words of the texts that a stated file has vectors of; None where none was stated.
        n_columns: last ones of the view of features that stand beside the texts; 0 where they are all it has.
    """

    prepared: TextPreparation
    codes: CodedTexts
    counts: TermCounts
    n_classes: int
    seed: int = 0
    threads: int = 1
    preset: str = "fast"
    wanted: str = "auto"
    asked: str = "best"
    time_seconds: float | None = None
    in_folds: bool = False
    is_unasked: bool = False
    network: SentenceNetwork | None = None
    vectors: KnownWords | None = None
    n_columns: int = 0

    @cached_property
    def token_keys(self) -> Integers:
        """(N, W) words and signs of every text in their order."""
        return token_keys(self.codes, self.prepared)

    def why_not(self, name: str, kind: str) -> str | None:
        """Why a candidate isn't tried; None where it is."""
        if kind != "network" or name in (self.asked, VECTORS, VECTORS_AND_WORDS):
            return None
        if self.wanted != "auto":
            choice = next((choice for choice, one in NAMES.items() if one == name), PRETRAINED)
            return None if choice == self.wanted else f"not tried: --network {self.wanted} asks for another"
        quick = SCRATCH[:1] if self.network is None and not self.in_folds else ()
        if self.preset == "fast" and name in (*SCRATCH, FINE_TUNED) and name not in quick:
            return "not tried: --preset accurate tries it"
        seconds = self.seconds(name)
        if self.time_seconds is not None and seconds > SHARE * self.time_seconds:
            return f"not tried: it would take about {math.ceil(seconds)} s, too much of --time"
        if seconds > MOST_SECONDS:
            return "not tried: it would take more than ten minutes; --ship with its name tries it"
        return None

    def is_costly(self, name: str) -> bool:
        """Whether a candidate is tried only where the others leave something to gain."""
        if self.preset != "fast" or self.wanted != "auto" or self.n_columns:  # what was stated is tried
            return False
        return name in ON_SENTENCES and self.asked not in (name, "network")

    def seconds(self, name: str) -> float:
        """About how long a network trains, from how much there is to read; 0 for what is quick."""
        fits = FITS if self.in_folds else 1
        n_pieces = int(np.minimum(self.codes.lengths / CHARACTERS_OF_A_PIECE + 2, MAX_PIECES).sum())
        if name == FINE_TUNED:
            return fits * n_pieces / PIECES_A_SECOND
        if name in ON_SENTENCES and not self.n_columns:
            return n_pieces / DESCRIBED_A_SECOND
        if name in SCRATCH[1:]:
            n = int((self.token_keys != 0).sum())
            return fits * planned_epochs(TEXT_PLANS[name], len(self.codes), n) * n / TOKENS_A_SECOND
        return 0.0

    def loss(self, scores: Numbers, y: Integers) -> float:
        """Mean log loss at the best temperature: scores of every kind compare."""
        probabilities = apply_temperature(scores, fit_temperature(scores, y))
        return float(-np.log(np.maximum(probabilities[np.arange(len(y)), y], 1e-12)).mean())
