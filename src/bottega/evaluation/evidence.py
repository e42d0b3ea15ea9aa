"""What a report shows beside the record: pictures, counts and curves, as plain data without numpy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bottega.problem.network_summary import NetworkSummary
from bottega.problem.records import Score, Suspect
from bottega.problem.understanding_records import Drivers

__all__ = [
    "Confusion",
    "CoveragePoint",
    "Curve",
    "CurvePoint",
    "Evidence",
    "Learning",
    "Member",
    "Miss",
    "Mistake",
    "NearText",
    "RateTest",
    "ReliabilityBin",
    "TextMistake",
    "TextPart",
    "Thumbnail",
    "Unlabelled",
    "Values",
]


@dataclass(frozen=True)
class Thumbnail:
    """A small encoded picture."""

    data: bytes  # PNG or JPEG; about 96 px on its longer side is enough
    width: int  # px
    height: int  # px
    alt: str  # what it is, for who can't see it


@dataclass(frozen=True)
class Member:
    """One example of a group that is shown together."""

    picture: Thumbnail | None
    label: str  # "" where there is none
    name: str


@dataclass(frozen=True)
class Mistake:
    """One wrong answer, with the training picture that it resembles most."""

    picture: Thumbnail | None
    truth: str
    answer: str
    probability: float  # of the answer, in [0, 1]
    name: str
    nearest: Thumbnail | None = None
    nearest_label: str = ""
    nearest_name: str = ""


@dataclass(frozen=True)
class TextPart:
    """A word, or a run of words, of a text.

    Attributes:
        weight: how far the probability of the answer falls without it, in [-1, 1].
        space: whether white space stands before it.
    """

    text: str
    weight: float
    space: bool = False


@dataclass(frozen=True)
class NearText:
    """A training text that resembles a mistake."""

    text: str
    label: str
    name: str


@dataclass(frozen=True)
class TextMistake:
    """One wrong answer on a text.

    Attributes:
        parts: the text, cut where it is long.
        probability: of the answer, in [0, 1].
        flip: words without which it would have given another answer, and that; None where there are none.
        nearest: the most alike first.
    """

    parts: tuple[TextPart, ...]
    truth: str
    answer: str
    probability: float
    name: str
    flip: tuple[str, str] | None = None
    nearest: tuple[NearText, ...] = ()


@dataclass(frozen=True)
class Miss:
    """One row whose value was predicted far off."""

    name: str
    truth: float
    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Values:
    """Predicted values beside the true ones.

    Attributes:
        points: true and predicted, of some of the test rows.
        misses: the farthest off first.
    """

    target: str
    points: tuple[tuple[float, float], ...]
    misses: tuple[Miss, ...]


@dataclass(frozen=True)
class Confusion:
    """How often each true class got each answer. Sparse: a matrix of 10,000 classes is mostly empty."""

    labels: tuple[str, ...]
    counts: Mapping[tuple[int, int], int]  # (index of the truth, index of the answer): pictures, zeros left out
    examples: Mapping[tuple[int, int], Thumbnail] = field(default_factory=dict)

    @classmethod
    def from_matrix(
        cls,
        labels: Sequence[str],
        matrix: Sequence[Sequence[int]],
        examples: Mapping[tuple[int, int], Thumbnail] | None = None,
    ) -> "Confusion":
        """From rows of counts: rows are the truth, columns the answer, shape (n_classes, n_classes)."""
        counts = {(i, j): int(n) for i, row in enumerate(matrix) for j, n in enumerate(row) if n}
        return cls(tuple(labels), counts, dict(examples or {}))

    @property
    def total(self) -> int:
        """Pictures in all."""
        return sum(self.counts.values())

    @property
    def wrong(self) -> dict[tuple[int, int], int]:
        """The cells off the diagonal, the fullest first."""
        cells = [(cell, n) for cell, n in self.counts.items() if cell[0] != cell[1] and n]
        return dict(sorted(cells, key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers that were about equally confident: how many of them were right."""

    confidence: float  # mean stated probability, in [0, 1]
    right: float  # share that was right, in [0, 1]
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class CoveragePoint:
    """What happens at one threshold of `sure`."""

    share: float  # answered, in [0, 1]
    accuracy: float  # of those answered, in [0, 1]
    low: float
    high: float
    threshold: float


@dataclass(frozen=True)
class CurvePoint:
    """One setting that was tried, or one epoch."""

    x: float  # where it stands on the axis; the logarithm where the settings are powers
    label: str  # what the axis says there
    train: float | None
    val: float | None
    low: float | None = None  # 95 % interval of `val`, where there is one
    high: float | None = None


@dataclass(frozen=True)
class Curve:
    """A curve and the sentence that reads it out: over strengths, or over epochs."""

    points: tuple[CurvePoint, ...]
    sentence: str
    x_name: str
    y_name: str  # with its unit
    kept: float | None = None  # the x of what was kept
    kept_words: str = "kept"


@dataclass(frozen=True)
class RateTest:
    """Losses at rising learning rates, as (log10 of the rate, loss), and the rate that was chosen, log10."""

    points: tuple[tuple[float, float], ...]
    chosen: float
    sentence: str


@dataclass(frozen=True)
class Learning:
    """How a network of one's own was trained, beside its curve."""

    network: NetworkSummary | None  # None where its layers aren't known
    augmented: str  # which variations, and why these; or which views
    sheet: Thumbnail | None = None  # training pictures with variations of them
    rate_test: RateTest | None = None
    notes: tuple[str, ...] = ()  # what didn't go as stated
    settings: Mapping[str, str] = field(default_factory=dict)
    has_views: bool = False  # whether each step saw one of a few stated views of a picture


@dataclass(frozen=True)
class Unlabelled:
    """Pictures outside the classes: every sure answer on them is a wrong one."""

    n: int
    n_sure: int
    note: str = ""
    pictures: tuple[Member, ...] = ()  # the label is the answer that it gave


@dataclass(frozen=True)
class Evidence:
    """What `report.html` shows and the record doesn't hold; what is left empty gets a sentence of its own."""

    data_name: str
    n_pictures: int
    noun: str = "picture"
    n_per_class: Mapping[str, int] = field(default_factory=dict)
    confusion: Confusion | None = None
    mistakes: tuple[Mistake, ...] = ()  # the surest first
    text_mistakes: tuple[TextMistake, ...] = ()  # of texts, in place of `mistakes`; the surest first
    values: Values | None = None  # of a regression
    drivers: Drivers | None = None  # of a table that shipped
    conflicts: tuple[tuple[Member, ...], ...] = ()
    twins: tuple[tuple[Member, ...], ...] = ()  # groups worth showing; the record has all of them
    suspects: tuple[tuple[Suspect, tuple[Member, ...]], ...] = ()  # empty: those of the record, without pictures
    reliability: tuple[ReliabilityBin, ...] = ()
    ece: Score | None = None
    coverage: tuple[CoveragePoint, ...] = ()
    chosen_coverage: CoveragePoint | None = None
    curve: Curve | None = None
    history: Curve | None = None
    learning: Learning | None = None
    naive: Score | None = None  # `twins_split`: what a split that ignores near-twins would have claimed
    grouped: Score | None = None  # `twins_grouped`: the score that counts
    without_twins: Score | None = None
    unlabelled: Unlabelled | None = None
    snippets: Mapping[str, str] = field(default_factory=dict)  # language: code, in the order of the tabs
    reproduce: tuple[str, ...] = ()  # command lines
    versions: Mapping[str, str] = field(default_factory=dict)
    recipe: str = ""
    model_file: Mapping[str, object] = field(default_factory=dict)  # bytes, sha256, ...
    prepared: str = ""  # what the file does inside, in words
