"""The frozen records of the verbs that refine: what a diagnosis found, what was tried, how runs differ."""

from dataclasses import dataclass
from typing import Any, Literal

from bottega.problem.records import Finding, Score

__all__ = [
    "CompareRecord",
    "ComparedRun",
    "CurveLine",
    "DiagnoseRecord",
    "PairedTest",
    "Proof",
    "RecipeDifference",
    "RemedyTrial",
    "Verdict",
]

Verdict = Literal["proved", "worse", "no gain proved", "not tried"]


@dataclass(frozen=True)
class RemedyTrial:
    """One change of a training, tried against the training as it was.

    Attributes:
        finding: name of the finding that it is for.
        changes: options of `train` by name, with their new values.
        command: the training with the change, ready to be copied.
        metric: that the gain is measured in.
        before, after: mean over the seeds, without and with the change; None where it was not tried.
        gain: positive is better, whatever the metric's direction; its 95 % interval is over examples and seeds, and
            holds for all that was tried together.
        why: it was not tried; "" where it was.
    """

    name: str
    finding: str
    changes: dict[str, Any]
    command: str
    metric: str
    verdict: Verdict
    before: float | None = None
    after: float | None = None
    gain: Score | None = None
    seconds: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class Proof:
    """Remedies that were tried on a run's own training and validation rows; the test part was not read.

    Attributes:
        seeds: that every training was made with, as it was and with each change.
        n: validation examples that were answered.
        stopped: by the user, before all that was planned was trained.
    """

    seeds: tuple[int, ...]
    n: int
    trials: tuple[RemedyTrial, ...]
    seconds: float
    stopped: bool = False


@dataclass(frozen=True)
class DiagnoseRecord:
    """What `bottega diagnose` read out of a run.

    Attributes:
        network: name of the one that was trained.
        n_remedies: of the findings' remedies, how many can be tried.
        proof: the last one that was made for this run.
    """

    run_dir: str
    network: str
    findings: tuple[Finding, ...]
    n_remedies: int
    proof: Proof | None = None


@dataclass(frozen=True)
class CurveLine:
    """One line of a training's history, as far as it is compared."""

    epoch: float
    fit_loss: float
    val_loss: float
    val_score: float


@dataclass(frozen=True)
class ComparedRun:
    """One of the runs.

    Attributes:
        metric: that it was judged by.
        test: as in its record.
        curve: of the network that it trained; empty where it trained none.
    """

    run_dir: str
    chosen: str
    metric: str
    test: dict[str, Any]
    seconds: float
    network: str | None
    best_epoch: float | None
    curve: tuple[CurveLine, ...]


@dataclass(frozen=True)
class RecipeDifference:
    """A key of the recipes whose values differ; one value a run, None where a run has none."""

    key: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class PairedTest:
    """Two runs on the test pictures that they have in common.

    Attributes:
        gain: of `run` over `against`: positive is better, whatever the metric's direction.
        why: there is no gain, or what it rests on.
    """

    run: str
    against: str
    metric: str
    n: int
    gain: Score | None
    verdict: Literal["better", "worse", "cannot tell"]
    why: str = ""


@dataclass(frozen=True)
class CompareRecord:
    """What `bottega compare` found."""

    runs: tuple[ComparedRun, ...]
    differences: tuple[RecipeDifference, ...]
    tests: tuple[PairedTest, ...]
