"""How good on tables: every candidate on the same rows, the choice, the file and its agreement, over split seeds.

python benchmarks/tables.py DATA.csv --target COL [--name concrete] [--split-seeds 0 1 2 3 4] [--ignore Id]

The rivals are scikit-learn's own models at their published defaults, tuned on the validation part; the test part is
read once a seed. `agreement` is the largest difference between the file on raw cells and the fitted pipeline.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ledger import RESULTS, append

from bottega.data.splits import Split, split
from bottega.data.table_cells import TableCells, cells_of
from bottega.data.table_content import table_digests
from bottega.data.table_preparation import TablePreparation, encoder_graph, fit_preparation, graph_inputs
from bottega.data.tables import Table, read_table
from bottega.evaluation.metrics import METRICS
from bottega.evaluation.regression import score_values
from bottega.evaluation.table_models import fit_dense
from bottega.problem.table import table_choices
from bottega.shipping.table_graph import table_classifier, table_regressor
from bottega.workflow.candidates import Developed, Material, Rules, develop
from bottega.workflow.features import engine
from bottega.workflow.judge import held_out
from bottega.workflow.table_specs import VIEW, TableTask, table_specs
from bottega.workflow.threads import calm_threads

THREADS = 2
AGREEMENT = 1e-5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--name", help="of the data in the records; by default the file's")
    parser.add_argument("--ignore", action="append", default=[])
    parser.add_argument("--type", action="append", default=[])
    parser.add_argument("--split-seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    calm_threads()
    import torch

    torch.set_num_threads(THREADS)
    choices = table_choices(target=stated.target, ignore=stated.ignore, types=stated.type)
    for seed in stated.split_seeds:
        start = time.perf_counter()
        contest = Contest(read_table(stated.data, choices), seed)
        record = {"data": stated.name or stated.data.stem, "split_seed": seed, **contest.run()}
        record["seconds"] = round(time.perf_counter() - start, 2)
        append("tables", stated.results, record)
        print(line(record), flush=True)


class Contest:
    """One table under one split seed."""

    def __init__(self, table: Table, seed: int) -> None:
        target = table.target
        if target is None:
            raise SystemExit("no target")
        kept = table.frame[target.name].is_not_null().to_numpy()
        taken = cells_of(table)
        self.cells = TableCells(
            {k: v[kept] for k, v in taken.cells.items()}, taken.kinds, taken.formats, taken.left_out
        )
        targets = table.frame[target.name].to_numpy()[kept]
        self.values = target.kind == "number" and (not target.whole or target.n_distinct > 20 or target.stated)
        self.labels = [str(value) for value in targets]
        self.classes: tuple[str, ...] = () if self.values else tuple(sorted(set(self.labels)))
        index = {name: number for number, name in enumerate(self.classes)}
        self.y = targets.astype(np.float64) if self.values else np.array([index[label] for label in self.labels])
        digests = table_digests(table.frame, list(taken.cells))
        rows = [one for one, there in zip(digests, kept, strict=True) if there]
        self.hashes = np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 32)
        self.groups = np.unique(self.hashes, axis=0, return_inverse=True)[1].reshape(-1)
        self.seed = seed
        self.split: Split = split(
            self.hashes,
            ["" if self.values else label for label in self.labels],
            self.groups,
            given=[None] * len(self.y),
            split_seed=seed,
        )

    def run(self) -> dict[str, Any]:
        """Prepare, fit, choose, read the test part, write the file and ask it."""
        train, val, test = (self.split.rows(part) for part in ("train", "val", "test"))
        prepared = fit_preparation(self.cells.cells, self.cells.kinds, train, self.cells.formats)
        inputs = graph_inputs(prepared, self.cells.cells)
        x = engine(encoder_graph(prepared), threads=1).run(None, inputs)[0]
        labels = [""] * len(self.y) if self.values else self.labels
        material = Material({VIEW: x}, self.y, self.groups, self.split.group_names, labels, self.classes)
        task = TableTask(prepared.n_codes, None if self.values else len(self.classes), seed=0, threads=THREADS)
        specs, left_out = table_specs(task, len(train), fit_dense(x[train], prepared.n_codes).width)
        metric = "rmse" if self.values else "accuracy"
        rules = Rules(metric, None, "best", 0.95, self.seed, threads=THREADS)
        counts = {part: int((self.split.part == part).sum()) for part in ("train", "val", "test")}
        record: dict[str, Any] = {"metric": metric, "counts": counts, "source": self.split.source}
        record["left_out"] = {spec.name: why for spec, why in left_out}
        ask = self._values if self.values else self._classes
        return {**record, **ask(prepared, material, specs, rules, (train, val, test))}

    def _classes(
        self, prepared: TablePreparation, material: Material, specs: Any, rules: Rules, rows: tuple[Any, Any, Any]
    ) -> dict[str, Any]:
        developed: Developed = develop(material, specs, rows[0], rows[1], rules)
        tested, y = held_out(material, developed, rows[2]), material.y[rows[2]]
        names = ("accuracy", "roc_auc", "log_loss")
        scores = {
            name: {metric: METRICS[metric].function(y, answers) for metric in names}
            for name, answers in tested.by_candidate.items()
        }
        graph = table_classifier(
            prepared, developed.chosen.form, self.classes, temperature=developed.temperature, threshold=None
        )
        said = self._file(graph, prepared, rows[2])[1]
        return {
            **self._chosen(developed, scores, graph),
            "agreement": float(np.abs(said - tested.predictions).max()),
        }

    def _values(
        self, prepared: TablePreparation, material: Material, specs: Any, rules: Rules, rows: tuple[Any, Any, Any]
    ) -> dict[str, Any]:
        developed: Developed = develop(material, specs, rows[0], rows[1], rules)
        tested, y = held_out(material, developed, rows[2]), material.y[rows[2]]
        answers, interval = tested.by_candidate, developed.interval
        if interval is None:
            raise SystemExit("values without an interval")
        scores = {
            name: {metric: METRICS[metric].function(y, values) for metric in ("rmse", "mae", "r2")}
            for name, values in answers.items()
        }
        values = answers[developed.choice.name]
        held = score_values(y, values, interval.around(values), coverage=interval.coverage, groups=self.groups[rows[2]])
        graph = table_regressor(prepared, developed.chosen.form, interval)
        said = self._file(graph, prepared, rows[2])[0]
        return {
            **self._chosen(developed, scores, graph),
            "coverage": {
                "promised": interval.coverage,
                "held": held["coverage"].score,
                "guarantee": interval.guarantee,
            },
            "agreement": float((np.abs(said - values) / np.maximum(np.abs(values), 1e-9)).max()),
        }

    def _file(self, graph: bytes, prepared: TablePreparation, rows: npt.NDArray[np.int64]) -> list[Any]:
        cells = {name: column[rows] for name, column in self.cells.cells.items()}
        found: list[Any] = engine(graph, threads=1).run(None, graph_inputs(prepared, cells))
        return found

    def _chosen(self, developed: Any, scores: dict[str, Any], graph: bytes) -> dict[str, Any]:
        candidates = [
            {
                "name": name,
                "kind": one.spec.kind,
                "test": scores[name],
                "train_seconds": round(one.seconds, 2),
                "dropped": one.dropped,
                "relation": developed.choice.relations.get(name),
                "setting": one.setting,
            }
            for name, one in developed.answered.items()
        ]
        return {
            "chosen": developed.choice.name,
            "why": developed.choice.why,
            "candidates": candidates,
            "bytes": len(graph),
        }


def line(record: dict[str, Any]) -> str:
    """One record as a line."""
    metric = record["metric"]
    tests = {one["name"]: one["test"][metric] for one in record["candidates"]}
    pick = min if metric == "rmse" else max
    best = pick(tests, key=lambda name: tests[name])
    agrees = "agrees" if record["agreement"] <= AGREEMENT else f"DISAGREES by {record['agreement']:.1e}"
    return (
        f"{record['data']} seed {record['split_seed']}: {record['chosen']} {tests[record['chosen']]:.4g}, best on test "
        f"{best} {tests[best]:.4g} ({metric}); {record['bytes'] / 1e6:.2f} MB, {record['seconds']:.0f} s, file {agrees}"
    )


if __name__ == "__main__":
    main()
