"""The six steps from Python: what each takes, shows and refuses. docs/own-network.md trains."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import bottega
from bottega.errors import BottegaError, UnmetBarError
from bottega.problem.records import Score, Task, TrainRecord
from bottega.workflow.six_steps import LabelledData, NetworkChoice, Run


class Net(nn.Module):
    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        self.answer = nn.Linear(64, n_outputs)

    def forward(self, x: torch.Tensor) -> Any:
        return self.answer(x.flatten(1))


@pytest.fixture(scope="module")
def data() -> LabelledData:
    return bottega.load_data("digits")


def test_the_data(data: LabelledData) -> None:
    assert len(data) == 1797
    assert data.classes == tuple("0123456789")
    assert repr(data) == "<1,797 pictures in 10 classes from 'digits'>"
    with pytest.raises(BottegaError, match=r"found: .*digts"):
        bottega.load_data("digts")
    with pytest.raises(TypeError, match="epochs"):
        bottega.load_data("digits", epochs=1)  # type: ignore[call-arg]
    with pytest.raises(BottegaError, match=r"found: split-seed -1"):
        bottega.load_data("digits", split_seed=-1)


def test_another_division() -> None:
    other = bottega.load_data("digits", split_seed=5)
    assert other.split_seed == 5
    assert other.looked.n_per_part != bottega.load_data("digits").looked.n_per_part


def test_a_network_shows_its_layers(data: LabelledData) -> None:
    shown = repr(bottega.network("mlp", data, width=0.5, dropout=0.3)).splitlines()
    assert shown[0].startswith("mlp, ")
    assert shown[0].endswith("parameters, for 8x8x1")
    assert any("dropout, 0.3" in line for line in shown)
    assert shown[-1].split()[:2] == ["dense,", "10"]
    assert repr(bottega.network("net:Net", data)) == "<network net:Net>"
    assert repr(bottega.network("pretrained", data)) == "<network pretrained>"


def test_a_network_of_the_users(data: LabelledData) -> None:
    by_class, by_module = bottega.network(Net, data), bottega.network(Net(10), data)
    assert by_class.source is Net
    assert isinstance(by_module.source, Net)
    assert by_class.kind == by_module.kind == f"{Net.__module__}:Net"


def test_a_network_that_cannot_be(data: LabelledData) -> None:
    with pytest.raises(BottegaError, match=r"found: network 'ccn'\n.*\nfix: --network cnn"):
        bottega.network("ccn", data)
    with pytest.raises(BottegaError, match=r"dropout.*3"):
        bottega.network("cnn", data, dropout=3)
    with pytest.raises(TypeError, match="depht"):
        bottega.network("cnn", data, depht=3)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"nb_epoch": 30}, r"found: fit has no option 'nb_epoch'\n.*\nfix: did you mean 'epochs'\?"),
        ({"zzz": 1}, r"fix: leave out zzz"),
        ({"dropout": 0.5}, r"found: fit has no option 'dropout'\n.*\nfix: give dropout to bottega.network"),
        ({"split_seed": 5}, r"fix: give split_seed to bottega.load_data"),
        ({"network": "mlp"}, r"found: fit has no option 'network'"),
        ({"resume": "runs/x"}, r"found: fit has no option 'resume'"),
        ({"epochs": 0}, r"found: epochs = 0"),
        ({"metric": "acc"}, r"found: metric 'acc'"),
    ],
)
def test_what_fit_refuses(data: LabelledData, keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(BottegaError, match=said):
        bottega.fit(bottega.network("cnn", data), data, **keywords)


def record(model: Path | None) -> TrainRecord:
    score = Score(10, 0.9, 0.6, 0.98, True)
    return TrainRecord(
        run_dir="runs/digits-1",
        model_path=None if model is None else str(model),
        report_path="runs/digits-1/report.html",
        task=Task("classification", "images", "the label", ("a", "b"), "there are labels"),
        chosen="cnn",
        metric="accuracy",
        verdict="It is right.",
        test={},
        metrics={"accuracy": score, "log_loss": replace(score, score=0.2)},
        candidates=(),
        findings=(),
        rejected=(),
        suspects=(),
        seconds={},
        twins=(),
        per_class={},
        believe=(),
        doubt=(),
        next_steps=(),
        sure={},
        split={},
    )


def test_a_finished_run(tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"bytes")
    run = Run(record(model))
    assert run.evaluate().score == 0.9
    assert repr(run) == "<run runs/digits-1: It is right.>"
    assert run.save(tmp_path / "mine.onnx").read_bytes() == b"bytes"
    with pytest.raises(BottegaError, match=r"found: .*nowhere.* can't be written: No such file"):
        run.save(tmp_path / "nowhere" / "mine.onnx")


def test_a_run_that_shipped_nothing(tmp_path: Path) -> None:
    run = Run(record(None))
    with pytest.raises(UnmetBarError, match=r"shipped no file.*\n.*\nfix: read runs/digits-1/report.html"):
        run.save(tmp_path / "mine.onnx")
    with pytest.raises(UnmetBarError, match=r"shipped no file"):
        _ = run.model


def test_the_network_is_for_these_data(data: LabelledData) -> None:
    assert isinstance(bottega.network("resnet", data), NetworkChoice)
    assert bottega.network("cnn", data).data is data
