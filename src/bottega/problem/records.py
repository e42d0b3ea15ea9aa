"""The frozen records that pass between the folders and go out as JSON (docs/json.md)."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from bottega.problem.drift import Drift
from bottega.problem.score import Score
from bottega.problem.understanding_records import Drivers

__all__ = [
    "Candidate",
    "CheckRecord",
    "EvaluateRecord",
    "FeatureGain",
    "FeatureRecord",
    "Finding",
    "LookRecord",
    "Progress",
    "Rejected",
    "ReproduceRecord",
    "Score",
    "SeedSpread",
    "SmallFile",
    "Suspect",
    "Task",
    "TargetsRecord",
    "TrainRecord",
    "Twin",
    "to_json",
]

Progress = Callable[[str, int, int | None], None]
"""`progress(step, done, total)`: called as long work goes on; `total` is None while unknown."""


@dataclass(frozen=True)
class Rejected:
    """A file or row that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Twin:
    """A group of examples with the same or nearly the same content."""

    kind: Literal["exact", "near"]
    members: tuple[str, ...]
    labels: tuple[str, ...]  # one for each member, "" where there is none

    @property
    def is_conflict(self) -> bool:
        """The same content under two labels: at least one of them is wrong."""
        return len({label for label in self.labels if label}) > 1


@dataclass(frozen=True)
class Suspect:
    """Something in the data that may make a score untrue: told, never acted on in silence."""

    kind: str  # leak, identifier, constant, time, group, drift, conflict, shortcut, imbalance, few, ...
    where: str
    evidence: str
    fix: str


@dataclass(frozen=True)
class Task:
    """What is asked of the data."""

    kind: Literal["classification", "regression", "forecasting"] | None
    modality: Literal["images", "tables", "texts", "series"]
    target: str | None
    classes: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class LookRecord:
    """What `bottega look` found."""

    task: Task
    n_examples: int
    n_per_class: dict[str, int]
    rejected: tuple[Rejected, ...]
    twins: tuple[Twin, ...]
    suspects: tuple[Suspect, ...]
    estimate_seconds: float | None
    n_per_part: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)  # sizes, modes, formats, notes: see docs/json.md


@dataclass(frozen=True)
class Candidate:
    """One way of answering that was tried."""

    name: str
    kind: Literal["network", "baseline"]
    val: Score | None
    test: Score | None
    train_seconds: float
    dropped: str | None = None
    relation: str | None = None  # to the shipped one: "ships", "tied", "worse", "better", "cannot tell"
    difference: Score | None = None  # shipped minus this one on the test part, paired


@dataclass(frozen=True)
class Finding:
    """One thing that was read out of a run, and what to do about it."""

    name: str
    evidence: str
    meaning: str
    change: str
    sure: Literal["high", "medium", "low"]


@dataclass(frozen=True)
class SmallFile:
    """The int8 variant of a model file, and what it lost on the test part (full minus small)."""

    path: str
    bytes: int
    score: Score
    loss: Score


@dataclass(frozen=True)
class SeedSpread:
    """The same training with several seeds, each scored on the same test part; the first one shipped."""

    metric: str
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    mean: float
    standard_deviation: float


@dataclass(frozen=True)
class FeatureGain:
    """One made feature of a table in words, and what it was worth beside those taken before it.

    Attributes:
        gain: share of the errors of quick models that it took away, out of fold on rows that were fitted on.
    """

    words: str
    gain: Score


@dataclass(frozen=True)
class FeatureRecord:
    """What `train --features` tried and kept.

    Attributes:
        kept: in the order in which they were taken; the file makes them inside.
        closest: of those that were not proved, the ones that were tried last, the best first.
        n_tried: all that were thought of.
        n_rows: that the evidence is from; 0 where nothing was searched.
        errors: what the gains are shares of.
        said: the outcome in one sentence.
    """

    kept: tuple[FeatureGain, ...]
    closest: tuple[FeatureGain, ...]
    n_tried: int
    n_rows: int
    errors: str
    said: str


@dataclass(frozen=True)
class TrainRecord:
    """What `bottega train` did."""

    run_dir: str
    model_path: str | None
    report_path: str | None
    task: Task
    chosen: str
    metric: str
    verdict: str
    test: dict[str, Any]  # n, n_groups, score, low, high, source: held-out | given | cv
    metrics: dict[str, Score]
    candidates: tuple[Candidate, ...]
    findings: tuple[Finding, ...]
    rejected: tuple[Rejected, ...]
    suspects: tuple[Suspect, ...]
    seconds: dict[str, float]
    twins: tuple[Twin, ...] = ()
    per_class: dict[str, dict[str, Any]] = field(default_factory=dict)  # precision, recall: Score; n: int
    believe: tuple[str, ...] = ()  # what one may believe
    doubt: tuple[str, ...] = ()  # what one may not believe yet
    next_steps: tuple[str, ...] = ()  # in order of expected gain
    sure: dict[str, Any] = field(default_factory=dict)  # threshold, coverage, accuracy: Score, why
    split: dict[str, Any] = field(default_factory=dict)  # seed, counts, rule, notes
    small: SmallFile | None = None  # the int8 variant, when it was asked for
    seeds: SeedSpread | None = None  # with --seeds
    features: FeatureRecord | None = None  # with --features
    interval: dict[str, Any] = field(default_factory=dict)  # of values: coverage, held: Score, width: Score, ...
    drivers: Drivers | None = None  # of a table that shipped: which columns its answers hang on
    costs: dict[str, Any] = field(default_factory=dict)  # stated: matrix, by_cost: Score, most_probable: Score, ...


@dataclass(frozen=True)
class TargetsRecord:
    """What `bottega train` did for several targets of one table.

    Attributes:
        model_path: of the file that answers all of them; None where one of them did not meet a stated bar.
        targets: the record of each, whose run folder lies inside this one.
    """

    run_dir: str
    model_path: str | None
    report_path: str
    verdict: str
    targets: dict[str, TrainRecord]
    seconds: dict[str, float]


@dataclass(frozen=True)
class EvaluateRecord:
    """What `bottega evaluate` measured on labelled examples."""

    n: int
    metric: str
    score: float
    low: float
    high: float
    metrics: dict[str, Score]
    per_class: dict[str, dict[str, Any]]
    passed: bool | None  # None: no bar was stated
    seen_in_training: float  # share of the examples whose content is in the file's filter; NaN without a filter
    rejected: tuple[Rejected, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    labels: tuple[str, ...] = ()
    unseen: Score | None = None  # the same metric on the examples that training did not see
    drift: Drift | None = None  # of a table whose file says how training's columns were spread
    by_column: str | None = None
    by: dict[str, Score] | None = None  # the metric for each of its values, on examples that training did not see


@dataclass(frozen=True)
class CheckRecord:
    """What `bottega check` found when it replayed the golden examples."""

    passed: bool
    n: int
    largest_difference: float
    tolerance: float


@dataclass(frozen=True)
class ReproduceRecord:
    """Whether a second training gave the same file."""

    verdict: Literal["identical", "within tolerance", "different"]
    differences: tuple[str, ...]


def to_json(record: Any) -> Any:
    """Turn a record into what `json.dumps(allow_nan=False)` takes: keys stable, NaN and infinity as None."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {f.name: to_json(getattr(record, f.name)) for f in dataclasses.fields(record)}
    if isinstance(record, dict):
        return {str(key): to_json(value) for key, value in record.items()}
    if isinstance(record, (list, tuple)):
        return [to_json(value) for value in record]
    if isinstance(record, (str, bool, int)) or record is None:
        return record
    if isinstance(record, float):
        return record if math.isfinite(record) else None
    if hasattr(record, "tolist"):  # numpy scalars and arrays, without importing numpy
        return to_json(record.tolist())
    raise TypeError(f"{type(record).__name__} has no place in a JSON record")
