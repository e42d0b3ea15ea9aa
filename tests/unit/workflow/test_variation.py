"""How much the seed matters: the same rows, other seeds, one test part."""

from pathlib import Path

import numpy as np
import pytest

from bottega.workflow.candidates import Developed, Material, Rules, answer, develop
from bottega.workflow.clock import Clock, TimeBudget
from bottega.workflow.options import TrainOptions
from bottega.workflow.own_network import VIEW, Bench, OwnNetwork, architecture_of
from bottega.workflow.run_folder import RunFolder
from bottega.workflow.variation import Rows, seed_spread
from digits_material import digits, specs

OPTIONS = TrainOptions(
    network="mlp", width=0.25, epochs=3, learning_rate=0.02, augment="none", device="cpu", seed=4, ship="network"
)


def begin(tmp_path: Path) -> tuple[Material, OwnNetwork]:
    found = digits(1700)
    pixels = (found.views["plain"].reshape(-1, 1, 8, 8) * 255).astype(np.float32)
    material = Material(
        {**found.views, VIEW: pixels}, found.y, found.groups, found.group_names, found.labels, found.classes
    )
    folder = RunFolder(tmp_path)
    bench = Bench(1, "cpu", tmp_path / "checkpoint", TimeBudget(Clock(), folder, n_fits=1))
    return material, OwnNetwork(architecture_of(OPTIONS, (1, 8, 8)), OPTIONS, 10, bench)


def rows_of(*cuts: int) -> Rows:
    return Rows(*np.split(np.arange(cuts[-1]), cuts[:-1]))


def developed(material: Material, own: OwnNetwork, rows: Rows, ship: str = "network") -> Developed:
    rules = Rules("accuracy", None, ship, 0.9, 0, k=2)
    candidates = [*[one for one in specs(material, views=()) if one.name == "linear on thumbnails"], own.spec()]
    return develop(material, candidates, rows.train, rows.val, rules)


@pytest.mark.parametrize("cuts", [(600, 1100, 1700), (300, 400, 1000)], ids=["held out", "out of fold"])
def test_each_seed_once(cuts: tuple[int, ...], tmp_path: Path) -> None:
    material, own = begin(tmp_path)
    rows, told = rows_of(*cuts), []
    found = developed(material, own, rows)
    assert found.out_of_fold == (cuts[0] == 300)
    spread = seed_spread(material, own, found, rows, n_seeds=3, tell=told.append)
    assert spread is not None
    assert (spread.metric, spread.seeds) == ("accuracy", (4, 5, 6))
    assert told == ["mlp with seed 2 of 3", "mlp with seed 3 of 3"]
    assert all(score > 0.6 for score in spread.scores)
    assert len(set(spread.scores)) > 1
    assert spread.mean == pytest.approx(sum(spread.scores) / 3)
    assert spread.standard_deviation == pytest.approx(float(np.std(spread.scores, ddof=1)))
    logits = answer(found.chosen.form, material.views[VIEW][rows.test], 10)
    assert spread.scores[0] == (logits.argmax(1) == material.y[rows.test]).mean()  # the first is the one that ships


def test_nothing_to_repeat(tmp_path: Path) -> None:
    material, own = begin(tmp_path)
    rows = rows_of(600, 1100, 1700)
    rival = developed(material, own, rows, ship="linear on thumbnails")
    assert rival.chosen.spec.view == "plain"
    assert seed_spread(material, own, rival, rows, n_seeds=3, tell=print) is None
    rival.choice = developed(material, own, rows).choice
    assert seed_spread(material, own, rival, rows, n_seeds=1, tell=print) is None
