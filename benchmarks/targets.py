"""What was aimed at and what the records say: one row for each target, from the latest record that speaks of it."""

import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Row", "latest", "load", "of_mean", "percent", "rows", "scores"]

Record = dict[str, Any]
# Frozen MobileNetV1 (int8) and ridge, 5-fold, at most 120 pictures a class: figures that were given with the targets,
# of another network on another draw of the same sets; not measured here.
REFERENCE = {"simpsons_seed": 0.9438, "trashnet": 0.8082, "flowers128": 0.6433}
# what tells one measurement of a task from another
KEYS = ("data", "preset", "network", "split_seed", "fold", "n", "extra", "limit")
T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}  # Student's t
GB, MB = 1e9, 1e6


@dataclass(frozen=True)
class Row:
    """One target. `met` is None where nothing has been measured."""

    what: str
    target: str
    measured: str
    met: bool | None
    command: str


def load(folder: Path) -> list[Record]:
    """Every record, oldest file first."""
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines]


def latest(records: Sequence[Record], task: str, **wanted: Any) -> list[Record]:
    """The last record of each measurement of a task, in the order of first appearance."""
    found: dict[tuple[Any, ...], Record] = {}
    for record in records:
        if record["task"] == task and all(record.get(key) == value for key, value in wanted.items()):
            # speed is measured on all of a data set: its n follows from the data, and must not keep old records alive
            keys = KEYS if task == "pictures_scale" else tuple(key for key in KEYS if key != "n")
            found[tuple(record.get(key) for key in keys)] = record
    return list(found.values())


def scores(records: Sequence[Record], what: str) -> list[float]:
    return [record[what]["score"] for record in records if record.get(what)]


def of_mean(records: Sequence[Record]) -> tuple[float, float, float]:
    """Mean, lowest and highest plausible accuracy over split seeds.

    Splits of one set overlap, so that their spread understates the doubt: the variance is scaled by
    1/J + n_test / n_train. Source: Nadeau & Bengio 2003, "Inference for the generalization error".
    """
    values = scores(records, "twins_grouped")
    mean = statistics.mean(values)
    if len(values) < 2:
        return mean, records[0]["twins_grouped"]["low"], records[0]["twins_grouped"]["high"]
    counts = [record["split"]["counts"] for record in records]
    share = statistics.mean(c["test"] / (c["train"] + c["val"]) for c in counts)
    half = T_975[len(values) - 1] * math.sqrt((1 / len(values) + share) * statistics.variance(values))
    return mean, mean - half, min(1.0, mean + half)


def rows(records: Sequence[Record]) -> list[Row]:
    """The targets in the order in which a user meets them."""
    return [
        *_accuracy(records),
        *_training_time(records),
        *_features(records),
        *_cold_start(records),
        *_installs(records),
        *_scale(records),
        *_learning_on(records),
    ]


def _row(what: str, target: str, found: Sequence[Record], say: Callable[[], tuple[str, bool]]) -> Row:
    if not found:
        return Row(what, target, "not measured yet", None, "")
    measured, met = say()
    return Row(what, target, measured, met, found[-1]["command"])


def _accuracy(records: Sequence[Record]) -> list[Row]:
    found = latest(records, "pictures_accuracy", data="simpsons_seed", preset="fast")

    def cartoons() -> tuple[str, bool]:
        values, naive = scores(found, "twins_grouped"), scores(found, "twins_split")
        said = f"{percent(values)}; split naively {percent(naive)}"
        return said, statistics.mean(values) >= 0.975

    target = "mean ≥ 97.5 % on new groups of near twins"
    result = [_row("simpsons_seed, accuracy over split seeds", target, found, cartoons)]
    for data in ("trashnet", "flowers128"):
        for preset in ("fast", "accurate"):
            result.append(_beyond(records, data, preset))
    return result


def _beyond(records: Sequence[Record], data: str, preset: str) -> Row:
    found = latest(records, "pictures_accuracy", data=data, preset=preset)

    def say() -> tuple[str, bool]:
        _, low, high = of_mean(found)
        said = f"{percent(scores(found, 'twins_grouped'))}, interval {100 * low:.1f} … {100 * high:.1f}"
        return said, low > REFERENCE[data]

    return _row(f"{data}, `{preset}`", f"lower end above {100 * REFERENCE[data]:.1f} %", found, say)


def _training_time(records: Sequence[Record]) -> list[Row]:
    found = latest(records, "pictures_speed", data="simpsons_seed")

    def say(what: str, key: str) -> Callable[[], tuple[str, bool]]:
        return lambda: (f"{statistics.median(found[-1][what]):.1f} s", found[-1]["ratios"][key] <= 1)

    allowed = f" = {found[-1]['ratios']['cold_allowed_seconds']:.1f} s" if found else ""
    return [
        _row(
            "simpsons_seed end to end, empty cache",
            f"≤ 1.3 × views ÷ bare engine + 12 s{allowed}",
            found,
            say("cold_seconds", "cold_over_allowed"),
        ),
        _row("the same, warm cache", "≤ 8 s", found, say("warm_seconds", "warm_over_allowed")),
    ]


def _features(records: Sequence[Record]) -> list[Row]:
    bars = {"simpsons_seed": ("features_over_engine", 0.85)}
    result = []
    for data in REFERENCE:
        found = latest(records, "pictures_speed", data=data)
        key, bar = bars.get(data, ("features_over_decode_and_engine", 0.9))
        against = "the bare engine" if key == "features_over_engine" else "1 ÷ (decode + engine time)"

        def say(found: list[Record] = found, key: str = key, bar: float = bar) -> tuple[str, bool]:
            ratio = found[-1]["ratios"][key]
            return f"{ratio:.2f} ({found[-1]['features_per_second']:.0f} pictures/s)", ratio >= bar

        result.append(_row(f"{data}, features with decoding", f"≥ {bar} × {against}", found, say))
    return result


def _cold_start(records: Sequence[Record]) -> list[Row]:
    found = latest(records, "cold_start")

    def within(value: Callable[[], float], bar: float, beside: str = "") -> Callable[[], tuple[str, bool]]:
        return lambda: (f"{value():.3f} s{beside}", value() <= bar)

    floor = f" (the bare engine alone {found[-1]['median_seconds']['bare engine']:.3f} s)" if found else ""
    predict = within(lambda: found[-1]["median_seconds"]["predict"], 0.6, floor)
    return [
        _row("one prediction from a cold start", "≤ 0.6 s", found, predict),
        _row("`bottega --help`", "≤ 0.15 s", found, within(lambda: found[-1]["median_seconds"]["help"], 0.15)),
        _row("`import bottega`", "≤ 0.05 s", found, within(lambda: found[-1]["import_seconds"], 0.05)),
    ]


def _installs(records: Sequence[Record]) -> list[Row]:
    result = []
    for extra, what, bar in (("base", "to predict only", 220), ("train", "to train", 1350)):
        found = latest(records, "install_size", extra=extra)

        def say(found: list[Record] = found, bar: int = bar) -> tuple[str, bool]:
            return f"{found[-1]['bytes'] / MB:,.0f} MB", found[-1]["bytes"] <= bar * MB

        result.append(_row(f"install {what}", f"≤ {bar:,} MB", found, say))
    return result


def _scale(records: Sequence[Record]) -> list[Row]:
    found = sorted(latest(records, "pictures_scale"), key=lambda record: float(record["n"]))
    large = [record for record in found if record["n"] == 10_000]

    def memory() -> tuple[str, bool]:
        return f"{large[-1]['peak_bytes'] / GB:.2f} GB", large[-1]["peak_bytes"] <= 1.5 * GB

    def flat() -> tuple[str, bool]:
        each = {record["n"]: 1000 * record["cpu_seconds"] / record["n"] for record in found}
        said = ", ".join(f"{value:.1f} ms at {n:,}" for n, value in each.items())
        return said, max(each.values()) <= 1.1 * each[found[0]["n"]]

    return [
        _row("largest memory at 10,000 pictures", "≤ 1.5 GB", large, memory),
        _row(
            "processor time for each picture as they grow", "flat within a tenth", found if len(found) > 1 else [], flat
        ),
    ]


def _learning_on(records: Sequence[Record]) -> list[Row]:
    """Fine-tuning beside the frozen features, on the same test pictures."""

    def lifted(found: list[Record]) -> Callable[[], tuple[str, bool]]:
        def say() -> tuple[str, bool]:
            told, met = [], True
            for one in found:
                frozen = one["candidates"]["pretrained + linear"]
                gap = frozen["difference"]
                met = met and gap["low"] > 0 and one["seconds"] <= 600
                span = f"{100 * gap['low']:.1f} … {100 * gap['high']:.1f}"
                scores = f"{100 * one['test']['score']:.1f} against {100 * frozen['test']['score']:.1f} %"
                told.append(f"{scores}, gain {span} points of {one['test']['n']}, {one['seconds']:.0f} s")
            return "; ".join(told), met

        return say

    def reached(found: list[Record], bar: float) -> Callable[[], tuple[str, bool]]:
        def say() -> tuple[str, bool]:
            scores = [one["test"]["score"] for one in found]
            seconds = max(one["seconds"] for one in found)
            return f"{percent(scores)} in {seconds:.0f} s", statistics.mean(scores) >= bar and seconds <= 600

        return say

    result = []
    for data in ("flowers128", "trashnet"):
        found = latest(records, "finetune", data=data, network="finetune")
        target = "better than frozen features by a paired test, in ≤ 10 min"
        result.append(_row(f"{data}, fine-tuned", target, found, lifted(found)))
    for network, bar, what in (("finetune", 0.85, "fine-tuned"), ("cnn", 0.75, "a `cnn` from nothing")):
        found = latest(records, "finetune", data="flowers128", network=network)
        target = f"≥ {100 * bar:.0f} % in ≤ 10 min"
        result.append(_row(f"flowers128, {what}", target, found, reached(found, bar)))
    return result


def percent(values: Sequence[float]) -> str:
    """Mean ± standard deviation of some shares."""
    if not values:
        return "–"
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{100 * statistics.mean(values):.1f} ± {100 * spread:.1f} %"
