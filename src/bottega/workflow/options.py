"""What can be asked of `train`: one frozen record, checked field by field."""

import difflib
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypedDict

from bottega.errors import BottegaError, found_in, nearest_name
from bottega.workflow.network_options import check_network_options
from bottega.workflow.table_options import COLUMN_KEYWORDS, TableOptions, table_options

__all__ = ["OF_NETWORKS", "TrainKeywords", "TrainOptions", "parse_duration", "refuse_networks_of_rows", "train_options"]

UNBOUNDED = ("log_loss", "brier", "rmse", "mae", "mape", "mean_cost")  # brier ends at 2 over several classes
MEAN_COST = "mean_cost"  # the metric where costs are stated
AUTO = "auto"  # the metric of a table, until its target was looked at
DEFAULT_METRIC = {"classification": "accuracy", "regression": "rmse"}
OF_NETWORKS = ("preset", "small", "network")  # choices about the networks of texts, which their recipe holds
OF_PICTURES = (  # choices that mean nothing for a table or for texts
    "group_by", "width", "depth", "dropout", "epochs", "batch_size", "optimiser",
    "learning_rate", "schedule", "weight_decay", "patience", "augment", "device", "seeds",
)  # fmt: skip
PRESETS = ("fast", "accurate")
MAX_NAME = 100  # characters; file systems take 255 bytes, and a letter may need four


class TrainKeywords(TypedDict, total=False):
    """The keywords of `bottega.train`; docs/help/train.md says what each one does."""

    preset: Literal["fast", "accurate"]
    time: str | float | None
    name: str | None
    seed: int
    split_seed: int
    metric: str
    at_least: float | None
    at_most: float | None
    group_by: str | None
    ship: str
    margin: float | None
    sure_at: float
    small: bool
    resume: str | None
    filter: bool
    golden: Literal["made-up", "real"]
    network: str
    width: float | None
    depth: int | None
    dropout: float | None
    epochs: int | None
    batch_size: int | None
    optimiser: Literal["adamw", "adam", "sgd"] | None
    learning_rate: float | None
    schedule: Literal["one-cycle", "cosine", "constant", "plateau"] | None
    weight_decay: float | None
    patience: int | None
    augment: str
    device: Literal["auto", "cpu", "cuda"]
    seeds: int
    cv: int | None
    target: str | Sequence[str] | None
    type: Sequence[str] | Mapping[str, str]
    ignore: Sequence[str]
    group: str | None
    time_column: str | None
    weight: str | None
    missing: Sequence[str]
    test: str | os.PathLike[str] | None
    val: str | os.PathLike[str] | None
    split_column: str | None
    text: str | Sequence[str] | None
    also: str | Sequence[str] | None
    vectors: str | os.PathLike[str] | None
    features: bool
    false_alarm_cost: float | None
    miss_cost: float | None
    positive: str | None
    costs: str | os.PathLike[str] | Mapping[str, Mapping[str, float]] | None


@dataclass(frozen=True)
class TrainOptions:
    """The stated choices of one training; whatever stays unstated is resolved and recorded in the run's recipe.

    Attributes:
        preset: how much work is done: one view of each picture, or several and a larger network.
        time_seconds: wall time from process start to exit that may be used; None for the preset's fixed work.
        name: of the run folder under `runs/`; None for `<data name>-<n>`.
        seed: drives training.
        split_seed: drives the split into train, val and test.
        metric: what is optimised, judged and compared.
        at_least: refuse to export unless the lower end of the test interval reaches this.
        at_most: refuse to export unless the upper end of the test interval stays under this.
        group_by: regular expression on the path inside the folder; equal matches are one shot or subject.
        ship: `best`, `network`, or the name of one candidate.
        margin: difference of the metric under which two candidates count as tied; None for the metric's own.
        sure_at: accuracy that the answers marked as sure must reach, at the lower end of its interval.
        small: write the int8 variant beside the file.
        resume: folder of a run to be finished.
        filter: put the Bloom filter of the training examples into the file.
        golden: whether the replayed examples in the file are made up or real.
        network: `auto`, `pretrained`, `mlp`, `cnn`, `resnet`, `finetune`, a TOML file, or `module:Class`.
        width, depth, dropout: of `mlp`, `cnn` and `resnet`; None for what suits the pictures.
        epochs, batch_size, optimiser, learning_rate, schedule, weight_decay, patience, augment: of a network that is
            trained; None for what suits the data (no learning rate: a range test finds one).
        device: where a network is trained; `auto` takes a GPU where there is one.
        seeds: how many times the network is trained, to see how much the seed matters.
        cv: judge by this many folds, every example answered once, instead of by one test part.
        table: what is stated about the columns of a table; None for pictures.
    """

    preset: Literal["fast", "accurate"] = "fast"
    time_seconds: float | None = None
    name: str | None = None
    seed: int = 0
    split_seed: int = 0
    metric: str = "accuracy"
    at_least: float | None = None
    at_most: float | None = None
    group_by: str | None = None
    ship: str = "best"
    margin: float | None = None
    sure_at: float = 0.95
    small: bool = False
    resume: str | None = None
    filter: bool = True
    golden: Literal["made-up", "real"] = "made-up"
    network: str = "auto"
    width: float | None = None
    depth: int | None = None
    dropout: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    optimiser: Literal["adamw", "adam", "sgd"] | None = None
    learning_rate: float | None = None
    schedule: Literal["one-cycle", "cosine", "constant", "plateau"] | None = None
    weight_decay: float | None = None
    patience: int | None = None
    augment: str = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seeds: int = 1
    cv: int | None = None
    table: TableOptions | None = None

    def __post_init__(self) -> None:
        problems = _check_kinds(self) or [problem for check in _CHECKS for problem in check(self)]
        if problems:
            found, expected, fix = (tuple(dict.fromkeys(part)) for part in zip(*problems, strict=True))
            raise BottegaError(found="; ".join(found), expected="; ".join(expected), fix="; ".join(fix))

    def stated(self) -> dict[str, Any]:
        """The choices as the recipe holds them, those about the place of the run left out."""
        elsewhere = ("resume", "name", "table", *((*OF_PICTURES, *OF_NETWORKS) if self.table is not None else ()))
        found = {key: value for key, value in vars(self).items() if key not in elsewhere}
        return found if self.table is None else {**found, "table": self.table.to_recipe()}

    def settled(self, kind: str | None) -> "TrainOptions":
        """The same with a metric that goes with the task.

        Raises:
            BottegaError: the stated metric judges another kind of task, or the bar doesn't go with the metric.
        """
        from bottega.evaluation.metrics import METRICS, metric_named

        kind = kind or "classification"
        if self._has_costs and kind != "classification":
            raise BottegaError(
                found="costs of wrong answers for a target of numbers",
                expected="costs for a target of classes",
                fix="leave the costs out; --metric mae counts every unit of error the same",
            )
        if self.metric == AUTO:
            return replace(self, metric=MEAN_COST if self._has_costs else DEFAULT_METRIC[kind])
        if metric_named(self.metric).kind != kind:
            known = [name for name, metric in METRICS.items() if metric.kind == kind]
            raise BottegaError(
                found=f"metric {self.metric!r} for a target of {'numbers' if kind == 'regression' else 'classes'}",
                expected=f"one of {', '.join(known)}",
                fix=f"--metric {DEFAULT_METRIC[kind]}",
            )
        return self

    @property
    def _has_costs(self) -> bool:
        return self.table is not None and self.table.costs is not None


_Problem = tuple[str, str, str]  # found, expected, fix


def _metrics(options: TrainOptions) -> dict[str, bool]:
    """The metrics that the answers can be judged by, and whether higher is better."""
    from bottega.evaluation.metrics import METRICS

    kinds = ("classification", "regression") if options.table is not None else ("classification",)
    found = {name: metric.higher_is_better for name, metric in METRICS.items() if metric.kind in kinds}
    return found if options.table is None else {**found, MEAN_COST: False}


def _check_names(options: TrainOptions) -> list[_Problem]:
    problems = []
    for flag, value, known in (
        ("preset", options.preset, PRESETS),
        ("metric", options.metric, (*_metrics(options), *([AUTO, "pinball"] if options.table is not None else []))),
        ("golden", options.golden, ("made-up", "real")),
    ):
        if value not in known:
            near = nearest_name(str(value), known) or known[0]
            problems.append((f"{flag} {value!r}", f"one of {', '.join(known)}", f"--{flag} {near}"))
    if not options.ship or not options.ship.strip():
        problems.append((f"ship {options.ship!r}", "best, network or the name of a candidate", "--ship best"))
    return problems


def _check_numbers(options: TrainOptions) -> list[_Problem]:
    problems = []
    for flag, seed in (("seed", options.seed), ("split-seed", options.split_seed)):
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            problems.append((f"{flag} {seed!r}", "a whole number from 0 to 2^63 − 1", f"--{flag} 0"))
    if not _is_number(options.sure_at) or not 0.5 <= options.sure_at < 1:
        problems.append((f"sure-at {options.sure_at!r}", "an accuracy from 0.5 to below 1", "--sure-at 0.95"))
    if options.margin is not None and (not _is_number(options.margin) or options.margin < 0):
        problems.append((f"margin {options.margin!r}", "a difference of the metric, 0 or more", "--margin 0.01"))
    if options.time_seconds is not None and (not _is_number(options.time_seconds) or options.time_seconds <= 0):
        problems.append((f"time {options.time_seconds!r}", "a time above 0", "--time 5m"))
    return problems


def _check_bars(options: TrainOptions) -> list[_Problem]:
    if options.metric == AUTO:  # judged again once it is known
        return []
    lower = not _metrics(options).get(options.metric, True)
    right, wrong = ("at_most", "at_least") if lower else ("at_least", "at_most")
    stated, value = getattr(options, wrong), getattr(options, right)
    flag = "--" + right.replace("_", "-")
    if stated is not None:
        kind = "lower is better" if lower else "higher is better"
        found = f"--{wrong.replace('_', '-')} {stated!r} with {options.metric}, of which {kind}"
        return [(found, f"{flag} for {options.metric}", f"{flag} {stated!r}")]
    unsigned = options.metric != "r2"
    above = value is not None and _is_number(value) and value > 1 and options.metric not in UNBOUNDED
    if value is not None and (not _is_number(value) or (unsigned and value < 0) or above):
        fix = f"{flag} {value / 100:g}" if _is_number(value) and 1 < value <= 100 else f"{flag} 0.9"
        return [(f"{flag} {value!r}", f"{options.metric} as a number from 0 to 1", fix)]
    return []


def _check_texts(options: TrainOptions) -> list[_Problem]:
    problems = []
    name = options.name
    if name is not None and (
        not name.strip()
        or name in (".", "..")
        or not name.isprintable()
        or re.search(r"[/\\:]", name)
        or len(name) > MAX_NAME
    ):
        problems.append((f"name {name!r}", f"a plain folder name of at most {MAX_NAME} characters", "--name my-run"))
    if options.group_by is not None:
        try:
            re.compile(options.group_by)
        except (re.error, RecursionError, OverflowError) as error:
            expected = "a regular expression whose match names the shot or subject"
            problems.append((f"group-by {options.group_by!r}: {error}", expected, r"--group-by '^([^_]+)_'"))
    return problems


def _check_kinds(options: TrainOptions) -> list[_Problem]:
    """Values of the wrong type, which only Python and an edited recipe can give."""
    problems = []
    for flag in ("small", "filter"):
        value = getattr(options, flag)
        if not isinstance(value, bool):
            problems.append((f"{flag} {value!r}", "True or False", f"{flag}=True"))
    for flag in ("preset", "metric", "golden", "ship", "network", "augment", "name", "group_by"):
        value = getattr(options, flag)
        if not isinstance(value, str) and not (value is None and flag in ("name", "group_by")):
            problems.append((f"{flag} {value!r}", "a text", f"{flag}={str(value)!r}"))
    resume: object = options.resume
    if resume is not None and not isinstance(resume, (str, os.PathLike)):
        problems.append((f"resume {resume!r}", "the path of a run", "resume='runs/flowers-1'"))
    return problems


def _check_table(options: TrainOptions) -> list[_Problem]:
    """Choices about pictures and their networks beside a table."""
    return [] if options.table is None else _stated_among(options, OF_PICTURES)


def _stated_among(options: TrainOptions, names: Sequence[str]) -> list[_Problem]:
    stated = [f.name for f in fields(options) if f.name in names and getattr(options, f.name) != f.default]
    flags = ", ".join(f"--{name.replace('_', '-')}" for name in stated)
    return [(f"{flags} with a table", "choices that a table has", f"leave {flags} out")] if stated else []


def refuse_networks_of_rows(options: TrainOptions) -> None:
    """What texts may be asked for and rows not.

    Raises:
        BottegaError: it was stated for the rows of a table.
    """
    for found, expected, fix in _stated_among(options, ("small", "network")):
        raise BottegaError(found=found, expected=expected, fix=fix)
    if options.table is not None and options.table.vectors is not None:
        raise BottegaError(
            found=f"--vectors {options.table.vectors!r} for the rows of a table",
            expected="texts, whose words have vectors",
            fix="name their column: --text COL",
        )


def _check_judge(options: TrainOptions) -> list[_Problem]:
    """A metric of tables that needs more to go by, or that can't choose."""
    if options.metric == "pinball" and options.table is not None:
        expected = "a metric of the value itself; pinball is of its interval, which is set after the choice"
        return [("metric 'pinball'", expected, "--metric mae")]
    if options.metric != MEAN_COST or (options.table is not None and options.table.costs is not None):
        return []
    return [("metric 'mean_cost'", "costs to go by", "--false-alarm-cost 1 --miss-cost 20, or --costs FILE.csv")]


_CHECKS = (
    _check_names,
    _check_numbers,
    _check_bars,
    _check_texts,
    check_network_options,
    _check_table,
    _check_judge,
)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def train_options(data: str | os.PathLike[str] | None, keywords: Mapping[str, Any]) -> TrainOptions:
    """Check the keywords of one training, as the command line and Python give them, and make them one record.

    Args:
        data: what is to be trained on; None when a run is resumed.
        keywords: names as in `TrainKeywords`; those at their defaults may be left out.
    Raises:
        BottegaError: an unknown keyword (the nearest is named), a value out of its range, neither data nor a run to
            resume, or both; resuming with other choices than the run was begun with.
    """
    known = [*TrainKeywords.__annotations__]
    for keyword in keywords:
        if keyword not in known:
            near = nearest_name(keyword, known) or difflib.get_close_matches(keyword, known, 1, 0.0)[0]
            raise BottegaError(
                found=f"train has no option {keyword!r}",
                expected=f"one of {found_in(known)}",
                fix=f"did you mean {near!r}?",
            )
    values = {key: value for key, value in keywords.items() if key not in COLUMN_KEYWORDS}
    columns = {key: value for key, value in keywords.items() if key in COLUMN_KEYWORDS}
    time = values.pop("time", None)
    values["time_seconds"] = parse_duration(time) if isinstance(time, str) else time
    values["table"], bar = table_options(data, columns)
    if bar is not None:  # what is stated here comes before what was written there
        written: dict[str, Any] = {"metric": bar.metric}
        if values.get("at_least") is None and values.get("at_most") is None and values.get("metric") is None:
            written |= {"at_least": bar.at_least, "at_most": bar.at_most}
        values |= {key: value for key, value in written.items() if values.get(key) is None and value is not None}
    if values.get("metric") is None:
        values["metric"] = AUTO if values["table"] is not None else DEFAULT_METRIC["classification"]
    options = TrainOptions(**values)
    _check_source(data, options)
    return options


def _check_source(data: str | os.PathLike[str] | None, options: TrainOptions) -> None:
    if options.resume is None:
        if data is None:
            raise BottegaError(
                found="no data to train on",
                expected="a folder of pictures or a table, or a run to resume",
                fix="bottega train FOLDER",
            )
        return
    again = f"bottega train --resume {options.resume}"
    if data is not None:
        raise BottegaError(
            found=f"data {os.fspath(data)!r} together with --resume",
            expected="a resumed run alone: it knows its data",
            fix=again,
        )
    stated = [f.name for f in fields(options) if f.name != "resume" and getattr(options, f.name) != f.default]
    if stated:
        raise BottegaError(
            found=f"{', '.join(stated)} together with --resume",
            expected="a resumed run alone: it keeps the choices it was begun with",
            fix=again,
        )


UNIT_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def parse_duration(text: str) -> float:
    """Read a duration such as `90s`, `5m` or `1h30m`; a bare number is seconds.

    Args:
        text: hours, minutes and seconds in that order, each at most once; decimals are taken.
    Returns:
        Seconds, above 0.
    Raises:
        BottegaError: it isn't a duration, or is none above 0.
    Example:
        >>> parse_duration("1h30m"), parse_duration("2.5m"), parse_duration("90")
        (5400.0, 150.0, 90.0)
    """
    parts = re.fullmatch(
        r"(?:([\d.]+)h)?(?:([\d.]+)m(?:in)?)?(?:([\d.]+)s?)?", text.strip().lower().replace(" ", ""), re.ASCII
    )
    try:
        values = [float(part) if part else 0.0 for part in parts.groups()] if parts else []
    except ValueError:  # two points in one number
        values = []
    seconds = sum(value * unit for value, unit in zip(values, UNIT_SECONDS.values(), strict=False))
    if not math.isfinite(seconds) or seconds <= 0:
        raise BottegaError(
            found=f"time {text!r}", expected="a duration above 0 such as 90s, 5m or 1h30m", fix="--time 5m"
        )
    return seconds
