"""The frozen records of `bottega words` (docs/words.md)."""

from dataclasses import dataclass, field
from typing import Any

from bottega.problem.records import Score

__all__ = [
    "AnalogiesRecord",
    "Association",
    "BiasRecord",
    "Explained",
    "MapRecord",
    "Neighbour",
    "PairsRecord",
    "Projection",
    "SectionScore",
    "TrainWordsRecord",
    "VectorsFacts",
    "WordsRecord",
]


@dataclass(frozen=True)
class VectorsFacts:
    """Which vectors answered."""

    name: str
    path: str  # of the memory-mapped file
    n_words: int
    n_dims: int
    dtype: str
    notes: tuple[str, ...] = ()  # what the reader met in the original


@dataclass(frozen=True)
class Neighbour:
    """A word with its cosine, or with its score under 3CosMul."""

    word: str
    similarity: float


@dataclass(frozen=True)
class Explained:
    """Where an answer's similarity comes from: the shares of the question's words add up to it."""

    word: str
    similarity: float
    pulls: dict[str, float]


@dataclass(frozen=True)
class WordsRecord:
    """What one question came to."""

    question: str
    answers: tuple[Neighbour, ...]
    rules: dict[str, dict[str, tuple[Neighbour, ...]]]  # cosadd | cosmul -> without | with the question's words
    notes: tuple[str, ...]
    vectors: VectorsFacts
    explained: tuple[Explained, ...] = ()


@dataclass(frozen=True)
class SectionScore:
    """One section of an analogy test under one rule.

    Attributes:
        name: of the section.
        rule: cosadd | cosmul.
        words: "without" or "with" the question's own words among the answers.
        usual: right answers among the questions whose words are all known.
        all: the same with unknown words counted as wrong.
    """

    name: str
    rule: str
    words: str
    usual: Score
    all: Score


@dataclass(frozen=True)
class AnalogiesRecord:
    """What `--analogies` measured; `total` has one line for each rule, with and without the question's words."""

    question: str
    n: int
    n_unknown: int
    n_words_searched: int
    sections: tuple[SectionScore, ...]
    total: tuple[SectionScore, ...]
    notes: tuple[str, ...]
    vectors: VectorsFacts


@dataclass(frozen=True)
class PairsRecord:
    """What `--pairs` measured: correlation of cosines with people's judgements."""

    question: str
    n: int
    n_unknown: int
    spearman: Score
    pearson: Score
    spearman_unknown_zero: Score  # pairs with an unknown word take part with similarity 0
    notes: tuple[str, ...]
    vectors: VectorsFacts


@dataclass(frozen=True)
class Association:
    """One test of the WEAT kind: two sets of targets, two of attributes."""

    name: str
    targets: tuple[str, str]  # their names
    attributes: tuple[str, str]
    effect: Score  # d, with the bootstrap interval over the targets
    p_value: float
    n_permutations: int
    is_exact: bool  # every partition was counted, none drawn
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Projection:
    """Where a word lies between the two ends of an axis, with the spread over the pairs that define it."""

    word: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class BiasRecord:
    """What `--bias` measured."""

    question: str
    tests: tuple[Association, ...]
    axis: tuple[str, str]  # the two ends, in words
    pairs: tuple[tuple[str, str], ...]  # that define the axis
    projections: tuple[Projection, ...]
    notes: tuple[str, ...]
    vectors: VectorsFacts
    plot_path: str | None = None


@dataclass(frozen=True)
class MapRecord:
    """What `--map` drew."""

    question: str
    words: tuple[str, ...]
    pca: tuple[tuple[float, float], ...]
    tsne: tuple[tuple[float, float], ...]  # empty where there are too few words
    variance: tuple[float, float]  # shares kept by the two axes of the PCA
    seed: int
    map_path: str
    notes: tuple[str, ...]
    vectors: VectorsFacts


@dataclass(frozen=True)
class TrainWordsRecord:
    """What `--train` made."""

    question: str
    vectors_path: str
    n_tokens: int
    n_words: int
    n_dims: int
    epochs: int
    seed: int
    seconds: float
    mean_cosine: float  # of all pairs of different words: near 1 where too little was learnt
    scores: tuple[dict[str, Any], ...] = ()  # one for each epoch: {"epoch", "loss", "analogies", "pairs"}
    recipe: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
