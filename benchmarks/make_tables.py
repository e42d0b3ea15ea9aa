"""Write docs/benchmarks.md and the numbers of the README from the records, or with --check say whether they differ."""

import argparse
import difflib
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ledger import RESULTS, ROOT
from other_targets import other_rows
from targets import Record, Row, latest, load, of_mean, percent, rows, scores

PAGE = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"
MARKS = ("<!-- numbers -->", "<!-- /numbers -->")
IN_README = ("simpsons_seed", "the same, warm", "one prediction", "install")

HEAD = """# Benchmarks

Written by `python benchmarks/make_tables.py` from the records in `benchmarks/results`; a test fails when this page
and the records differ. The data are not part of the project: each command takes the path of a folder, and the
records hold its name.

## Targets

"""
ACCURACY = """## Accuracy

Each line is several trainings that differ by split seed alone; mean ± standard deviation. *Grouped*: near twins of
a picture are never on both sides, which is the score that counts. *Naive*: what a split that ignores near twins
would have claimed for the same model. *Best rival*: the best of nearest neighbour, linear model and forest on
thumbnails and colours, on the same test pictures. *Interval*: of the mean, with the variance corrected for splits
that overlap (Nadeau & Bengio 2003).

"""
TWINS = """## What near twins are worth

Test pictures of a naive split that have a near twin among the training pictures, over the split seeds.

"""
SPEED = """## Speed

All limits of a line are measured in the same run, in turn. *Engine*: the graph that ships, in ONNX Runtime, on
pixels that lie ready, the best of several batch sizes and workers. *Decoder*: reading and decoding alone.
*Features*: both at work in `compute_features` with nothing cached. Pictures per second; then seconds of whole
processes, and where they go.

"""
START = """## Cold start

Whole processes from start to exit, in turn, median. *Bare engine*: a script of ten lines that loads the same file
in ONNX Runtime, decodes the same picture and asks once.

"""
SCALE = """## Growth

Pictures made by seeded crops of real ones; cache empty at the start.

"""
TEXTS = """## Texts

What `bottega train` does as a whole process with an empty cache; where a test part comes with the data it is used.

"""
F1 = """Macro-F1 on the same test part, in which each class counts the same, of all test texts and of parts of them.

"""
TABLES = """## Tables

The candidate that validation chose, beside the one of scikit-learn's models that turned out best on the test part,
which no choice may read. *Difference*: chosen minus rival on the same test rows, with its 95 % interval. *File*: the
largest difference between its answers on raw cells and the fitted pipeline's.

"""
BESIDE = """## Tables, beside AutoGluon

Its preset `medium_quality`, in an environment of its own, under the same time limit, on the same rows. *s*: the whole
process, ours with looking, proof and report; *MB*: its largest memory.

"""
DIAGNOSIS = """## Diagnosis

`python benchmarks/diagnosis.py` plants one fault at a time in healthy runs on real data, trains, and asks for the
findings; each seed splits, initialises and plants anew. *Recall*: runs of which the fault is the first or second
finding; a healthy run is named where nothing is found.

"""
PRECISION = """Of the times that a finding came first, how often it was the fault that was planted.

"""
MACHINES = """## Where this was measured

*Busy elsewhere*: the share of the machine that other programs used meanwhile. *Code*: a hash of the package's source.

"""


def page(records: Sequence[Record]) -> str:
    """All of docs/benchmarks.md."""
    parts = [
        HEAD
        + _table(["what", "target", "measured", "met", "command"], map(_target, [*rows(records), *other_rows(records)]))
    ]
    for text, head, lines in (
        (ACCURACY, "data|preset|splits|test pictures|grouped|interval|naive|best rival|s, warm|MB", _accuracy(records)),
        (TWINS, "data|pictures|groups|test pictures|with a near twin in training|share", _twins(records)),
        (SPEED, "data|pictures|engine|decoder|features|cold, s|warm, s|steps when cold", _speed(records)),
        (START, "process|s|MB", _start(records)),
        (SCALE, "pictures|s|processor ms each|look, s|features, s|heads, s|peak, MB", _scale(records)),
        (TEXTS, "data|split seed or fold|chosen|on test|TF-IDF and logistic regression|s|MB|peak, MB", _texts(records)),
        (F1, "data|split seed or fold|test texts of|chosen|TF-IDF and logistic regression", _texts_f1(records)),
        (TABLES, "data|split seed|metric|chosen|on test|best rival|on test|difference|s|MB|file", _tables(records)),
        (BESIDE, "data|split seed|limit|metric|bottega|AutoGluon|s|s|MB|MB", _beside(records)),
        (DIAGNOSIS, f"planted|{'|'.join(_diagnosed_sets(records))}|recall", _recall(records)),
        (PRECISION, "first finding|right|precision", _precision(records)),
        (MACHINES, "task|date|processor|cores|busy elsewhere|versions|code", _machines(records)),
    ):
        if lines:
            parts.append(text + _table(head.split("|"), lines))
    return "\n".join(parts)


def readme_block(records: Sequence[Record]) -> str:
    """The few numbers that the README shows."""
    chosen = [row for row in rows(records) if row.what.startswith(IN_README) and row.met is not None]
    lines = [[row.what, row.target, row.measured] for row in chosen]
    machine = next((r["machine"] for r in reversed(records) if r["task"] == "cold_start" and "code" in r), None)
    place = f"On {machine['cores']} cores of {machine['processor']}; " if machine else ""
    return f"{place}all of it: [benchmarks](docs/benchmarks.md).\n\n" + _table(["what", "target", "measured"], lines)


def _target(row: Row) -> list[str]:
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    return [row.what, row.target, row.measured, met, f"`{row.command}`" if row.command else ""]


def _accuracy(records: Sequence[Record]) -> list[list[str]]:
    lines = []
    found = latest(records, "pictures_accuracy")
    for data, preset in dict.fromkeys((r["data"], r["preset"]) for r in found):
        own = [r for r in found if (r["data"], r["preset"]) == (data, preset)]
        _, low, high = of_mean(own)
        rivals = [[c for c in r["candidates"] if c["kind"] == "baseline" and c["test"]] for r in own]
        n_test = [r["test"]["n"] for r in own]
        warm = [r["seconds"] for r in own if not r["cache_was_empty"]] or [r["seconds"] for r in own]
        values = [
            percent(scores(own, "twins_grouped")),
            f"{100 * low:.1f} … {100 * high:.1f}",
            percent(scores(own, "twins_split")),
            percent([max(c["test"]["score"] for c in candidates) for candidates in rivals]),
        ]
        costs = [f"{statistics.median(warm):.0f}", f"{max(r['peak_bytes'] for r in own) / 1e6:.0f}"]
        lines.append([data, preset, str(len(own)), f"{min(n_test)} … {max(n_test)}", *values, *costs])
    return lines


def _twins(records: Sequence[Record]) -> list[list[str]]:
    lines = []
    found = latest(records, "talk_effect")
    for data in dict.fromkeys(r["data"] for r in found):
        own = [r for r in found if r["data"] == data]
        n, seen = sum(r["n_test"] for r in own), sum(r["n_test_with_twin_in_training"] for r in own)
        counts = [own[-1]["n"], own[-1]["n_groups"], n, seen]
        lines.append([data, *(f"{count:,}" for count in counts), f"{seen / n:.1%}"])
    return lines


def _speed(records: Sequence[Record]) -> list[list[str]]:
    lines = []
    for r in latest(records, "pictures_speed"):
        rates = [f"{r[what]:.0f}" for what in ("engine_per_second", "decode_per_second", "features_per_second")]
        ends = [f"{statistics.median(r[what]):.1f}" for what in ("cold_seconds", "warm_seconds")]
        steps = {step: statistics.median(run[step] for run in r["cold_steps"]) for step in r["cold_steps"][0]}
        said = ", ".join(f"{step} {seconds:.1f}" for step, seconds in steps.items() if step != "total")
        lines.append([r["data"], f"{r['n']:,}", *rates, *ends, said])
    return lines


def _start(records: Sequence[Record]) -> list[list[str]]:
    found = latest(records, "cold_start")[-1:]
    return [
        [what, f"{seconds:.3f}", f"{r['peak_bytes'][what] / 1e6:.0f}" if what in r["peak_bytes"] else ""]
        for r in found
        for what, seconds in r["median_seconds"].items()
    ]


def _scale(records: Sequence[Record]) -> list[list[str]]:
    found = sorted(latest(records, "pictures_scale"), key=lambda r: float(r["n"]))
    return [
        [f"{r['n']:,}", f"{r['seconds']:.0f}", f"{1000 * r['cpu_seconds'] / r['n']:.1f}"]
        + [f"{r['steps'][step]:.0f}" for step in ("look", "features", "candidates")]
        + [f"{r['peak_bytes'] / 1e6:.0f}"]
        for r in found
    ]


def _texts(records: Sequence[Record]) -> list[list[str]]:
    lines = []
    for record in latest(records, "texts"):
        rival = _interval(record["rival"]) if record["rival"] else "–"
        sizes = (f"{record['seconds']:.0f}", f"{record['bytes'] / 1e6:.1f}", f"{record['peak_bytes'] / 1e6:.0f}")
        lines.append([record["data"], _split(record), record["chosen"], _interval(record["test"]), rival, *sizes])
    return lines


def _texts_f1(records: Sequence[Record]) -> list[list[str]]:
    lines = []
    for record in latest(records, "texts"):
        f1 = record.get("f1_macro", {})
        for what, chosen in f1.get("chosen", {}).items():
            rival = f"{100 * f1['rival'][what]:.1f}" if "rival" in f1 else "–"
            lines.append([record["data"], _split(record), what, f"{100 * chosen:.1f}", rival])
    return lines


def _split(record: Record) -> str:
    return f"fold {record['fold']}" if "fold" in record else str(record["split_seed"])


def _interval(score: Record) -> str:
    low, high = (100 * score[end] for end in ("low", "high"))
    return f"{100 * score['score']:.1f} % ({low:.1f} … {high:.1f}) of {score['n']:,}"


def _tables(records: Sequence[Record]) -> list[list[str]]:
    lines = []
    for record in sorted(latest(records, "tables"), key=lambda one: (one["metric"], one["data"])):
        test, rival, gap = record["test"], record["rival"], record["rival"]["difference"]
        span = "it ships" if gap is None else f"{gap['score']:.3g} ({gap['low']:.3g} … {gap['high']:.3g})"
        lines.append(
            [
                record["data"], str(record["split_seed"]), record["metric"], record["chosen"], f"{test['score']:.4g}",
                rival["name"], f"{rival['test']['score']:.4g}", span, f"{record['seconds']:.0f}",
                f"{record['bytes'] / 1e6:.2f}", f"{record['agreement']:.1g}",
            ]
        )  # fmt: skip
    return lines


def _beside(records: Sequence[Record]) -> list[list[str]]:
    lines = []
    found = (one for one in latest(records, "tables") if "autogluon" in one)
    for one in sorted(found, key=lambda one: (one["metric"], one["data"])):
        both = one["test"], one["autogluon"]
        places = [one["data"], str(one["split_seed"]), one["limit"], one["metric"]]
        costs = [f"{each['seconds']:.0f}" for each in (one, both[1])]
        costs += [f"{each['peak_bytes'] / 1e6:.0f}" for each in (one, both[1])]
        lines.append([*places, *(f"{each['score']:.4g}" for each in both), *costs])
    return lines


def _diagnosed(records: Sequence[Record]) -> list[Record]:
    """The last record of each data set and seed."""
    found = {(r["data"], r["seed"]): r for r in records if r["task"] == "diagnosis"}
    return [found[key] for key in sorted(found)]


def _diagnosed_sets(records: Sequence[Record]) -> list[str]:
    return sorted({r["data"] for r in _diagnosed(records)})


def _recall(records: Sequence[Record]) -> list[list[str]]:
    """One line for each fault, the healthy runs first, and all faults last."""
    found, sets = _diagnosed(records), _diagnosed_sets(records)
    runs = [(r["data"], run) for r in found for run in r["runs"]]
    faults = dict.fromkeys(run["fault"] for _, run in runs)
    lines = {fault: [pair for pair in runs if pair[1]["fault"] == fault] for fault in faults}
    lines["**all faults**"] = [pair for pair in runs if pair[1]["fault"] != "healthy"]
    table = []
    for fault, own in lines.items():
        each = [_share([run["named"] for data, run in own if data == one]) for one in sets]
        named = [run["named"] for _, run in own]
        table.append([fault, *each, f"{sum(named) / len(named):.0%}" if named else ""])
    return table if runs else []


def _precision(records: Sequence[Record]) -> list[list[str]]:
    runs = [run for r in _diagnosed(records) for run in r["runs"] if run["findings"]]
    right: dict[str, list[bool]] = {}
    for run in runs:
        right.setdefault(run["findings"][0], []).append(run["findings"][0] in run["expected"])
    ordered = sorted(right.items(), key=lambda item: (-len(item[1]), item[0]))
    return [[name, _share(hits), f"{sum(hits) / len(hits):.0%}"] for name, hits in ordered]


def _share(hits: Sequence[bool]) -> str:
    return f"{sum(hits)} of {len(hits)}" if hits else ""


def _machines(records: Sequence[Record]) -> list[list[str]]:
    lines = []
    for task, r in sorted({r["task"]: r for r in records if "code" in r}.items()):
        machine, versions = r["machine"], ", ".join(f"{name} {number}" for name, number in r["versions"].items())
        place = [machine["processor"], str(machine["cores"]), f"{machine['busy_elsewhere']:.0%}"]
        lines.append([task, r["date"], *place, versions, f"`{r['code']}`"])
    return lines


def _table(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    return "\n".join(["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *lines)]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 and show what differs")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    records = load(stated.results)
    text = README.read_text("utf-8")
    before, mark, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    wanted = {PAGE: page(records)}
    if mark and end:
        wanted[README] = f"{before}{mark}\n\n{readme_block(records)}\n{end}{after}"
    differs = False
    for path, new in wanted.items():
        old = path.read_text("utf-8") if path.exists() else ""
        differs |= old != new
        if stated.check:
            sys.stdout.writelines(
                difflib.unified_diff(old.splitlines(True), new.splitlines(True), path.name, "records")
            )
        else:
            path.write_text(new, encoding="utf-8")
    return int(stated.check and differs)


if __name__ == "__main__":
    sys.exit(main())
