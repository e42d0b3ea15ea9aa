"""The loop on scikit-learn's digits: it learns, keeps the best, stops, steps back, and goes on as if never stopped."""

import dataclasses
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from bottega.errors import BottegaError
from bottega.problem.history import Epoch
from bottega.training.checkpoint import Checkpoint
from bottega.training.goal import SquaredError
from bottega.training.loop import Callbacks, Data, Examples, Fitted, Goal, Settings, fit

QUICK = Settings(epochs=4, batch_size=64, learning_rate=0.01)


def accuracy(y: npt.NDArray[Any], probabilities: npt.NDArray[np.float32]) -> float:
    return float((probabilities.argmax(1) == y).mean())


GOAL = Goal(accuracy)


def network(seed: int = 0, *, p: float = 0.2) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(p),
        nn.Linear(128, 10),
    )


def digits(n_train: int = 600, n_val: int = 300) -> Data:
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = (x.reshape(-1, 1, 8, 8) * 15).astype(np.uint8)[order], y.astype(np.int64)[order]
    train = Examples(x[:n_train], y[:n_train])
    return Data.standardised(train, Examples(x[1000 : 1000 + n_val], y[1000 : 1000 + n_val]))


@pytest.fixture(scope="module")
def data() -> Data:
    return digits()


def same_bytes(a: Fitted, b: Fitted) -> bool:
    untimed = [
        [dataclasses.replace(line, seconds=0.0, examples_per_second=0.0) for line in fitted.history]
        for fitted in (a, b)
    ]
    return untimed[0] == untimed[1] and all(a.arrays[n].tobytes() == b.arrays[n].tobytes() for n in a.arrays)


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"optimiser": "sgd", "schedule": "plateau", "warm_up": 0.0, "learning_rate": 0.05},
        {
            "optimiser": "adam",
            "schedule": "cosine",
            "average": 0.9,
            "learning_rate": 0.03,
            "augment": ("shift",),
            "label_smoothing": 0.1,
        },
        {"schedule": "constant", "mixup": 0.2, "clip": 1.0, "class_weights": (1.0,) * 10, "precision": "bfloat16"},
    ],
)
def test_it_learns_digits(data: Data, stated: dict[str, Any]) -> None:
    fitted = fit(network(), data, dataclasses.replace(QUICK, epochs=8, **stated), goal=GOAL)
    assert fitted.best.val_score > 0.9
    assert fitted.stopped == "epochs"
    assert [line.epoch for line in fitted.history] == list(range(1, 9))


def test_each_line_is_true(data: Data) -> None:
    told: list[Epoch] = []
    done: list[tuple[int, int]] = []
    module = network()
    callbacks = Callbacks(tell=told.append, progress=lambda *at: done.append(at))
    fitted = fit(module, data, QUICK, goal=GOAL, callbacks=callbacks)
    assert tuple(told) == fitted.history
    assert done == [(step, 40) for step in range(1, 41)]
    line = fitted.best
    assert line is max(fitted.history, key=lambda line: (line.val_score, -line.val_loss))
    with torch.inference_mode():  # what was kept answers as the history says
        inputs = [
            (e.x[rows] - data.mean) / data.scale for e, rows in ((data.val, slice(None)), (data.train, fitted.fit_rows))
        ]
        val, fit_ = (module(torch.from_numpy(x)) for x in inputs)
    for outputs, y, loss, score in (
        (val, data.val.y, line.val_loss, line.val_score),
        (fit_, data.train.y[fitted.fit_rows], line.fit_loss, line.fit_score),
    ):
        assert float(nn.functional.cross_entropy(outputs, torch.from_numpy(y))) == pytest.approx(loss, rel=1e-4)
        assert accuracy(y, outputs.numpy()) == score
    assert not module.training
    assert line.largest_gradient_norm >= line.gradient_norm > 0
    assert line.examples_per_second > 0
    assert list(line.layers) == ["0", "6"]
    assert line.layers["0"].dead is not None
    assert fitted.history[0].train_loss > fitted.history[-1].train_loss
    for name, array in fitted.arrays.items():
        assert array.tobytes() == module.state_dict()[name].numpy().copy().tobytes()


def test_the_same_settings_give_the_same_bytes(data: Data) -> None:
    settings = dataclasses.replace(QUICK, augment=("shift", "rotation"), mixup=0.2, average=0.9)
    torch.manual_seed(5)
    one = fit(network(), data, settings, goal=GOAL)
    torch.rand(7)  # the global generator is nobody's business
    assert same_bytes(one, fit(network(), data, settings, goal=GOAL))
    assert not same_bytes(one, fit(network(), data, dataclasses.replace(settings, seed=1), goal=GOAL))


class KilledError(Exception):
    """Stands for a process that ended between two instructions."""


@pytest.mark.parametrize("kill_at", [1, 9, 10, 11, 25, 39])
def test_resumed_ends_with_the_bytes_of_uninterrupted(data: Data, tmp_path: Path, kill_at: int) -> None:
    settings = dataclasses.replace(
        QUICK, augment=("shift",), mixup=0.2, average=0.9, schedule="plateau", report_steps=6, optimiser="sgd"
    )
    whole = fit(network(), data, settings, goal=GOAL)
    path = tmp_path / "training.npz"

    def kill(step: int, _: float) -> bool:
        if step == kill_at:
            raise KilledError
        return True

    with pytest.raises(KilledError):
        fit(
            network(),
            data,
            settings,
            goal=GOAL,
            checkpoint=Checkpoint(path, 0.0),
            callbacks=Callbacks(may_continue=kill),
        )
    told: list[Epoch] = []
    begun = path.exists()
    resumed = fit(
        network(seed=99 if begun else 0),  # initial weights don't matter any more once there is a checkpoint
        data,
        settings,
        goal=GOAL,
        checkpoint=Checkpoint(path, 0.0),
        callbacks=Callbacks(tell=told.append),
    )
    assert begun == (kill_at >= 5)  # the end of the first part
    assert same_bytes(whole, resumed)
    assert tuple(told) == resumed.history[len(resumed.history) - len(told) :]
    again = fit(network(), data, settings, goal=GOAL, checkpoint=Checkpoint(path))  # finished: it gives the result
    assert same_bytes(whole, again)


def test_a_range_test_is_kept_by_the_checkpoint(data: Data, tmp_path: Path) -> None:
    settings = dataclasses.replace(QUICK, learning_rate=None, epochs=30, patience=2)
    first = fit(network(), data, settings, goal=GOAL, checkpoint=Checkpoint(tmp_path / "t.npz"))
    again = fit(network(), data, settings, goal=GOAL, checkpoint=Checkpoint(tmp_path / "t.npz"))
    assert first.range_test is not None
    assert first.range_test.rates
    assert first.range_test == again.range_test
    assert len(first.range_test.rates) <= 0.05 * 30 * 10


def test_a_checkpoint_of_another_training_is_refused(data: Data, tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "t.npz")
    fit(network(), data, QUICK, goal=GOAL, checkpoint=checkpoint)
    others: list[tuple[Data, Settings, nn.Module]] = [
        (digits(500), QUICK, network()),
        (data, dataclasses.replace(QUICK, epochs=5), network()),
        (data, QUICK, nn.Sequential(nn.Flatten(), nn.Linear(64, 10))),
    ]
    for other, settings, module in others:
        with pytest.raises(BottegaError, match="a checkpoint of another training"):
            fit(module, other, settings, goal=GOAL, checkpoint=checkpoint)


def test_patience_ends_it_and_the_best_is_kept(data: Data) -> None:
    settings = dataclasses.replace(QUICK, epochs=200, patience=3, schedule="constant")
    fitted = fit(network(), data, settings, goal=GOAL)
    assert fitted.stopped == "patience"
    assert fitted.history[-1].epoch - fitted.best.epoch == 3
    assert fitted.best.val_score == max(line.val_score for line in fitted.history)


def test_a_lower_score_may_be_the_better_one(data: Data) -> None:
    def error(y: npt.NDArray[Any], probabilities: npt.NDArray[np.float32]) -> float:
        return 1 - accuracy(y, probabilities)

    fitted = fit(network(), data, QUICK, goal=Goal(error, higher_is_better=False))
    assert fitted.best.val_score == min(line.val_score for line in fitted.history) < 0.3


@pytest.mark.parametrize("stop_at", [0, 1, 15])
def test_time_that_is_up_leaves_something_valid(data: Data, stop_at: int) -> None:
    callbacks = Callbacks(may_continue=lambda step, _: step < stop_at)
    fitted = fit(network(), data, QUICK, goal=GOAL, callbacks=callbacks)
    assert fitted.stopped == "time"
    assert fitted.history[-1].step == max(1, stop_at)
    assert fitted.arrays


def test_time_that_is_up_at_the_end_of_an_epoch_adds_no_line(data: Data) -> None:
    fitted = fit(network(), data, QUICK, goal=GOAL, callbacks=Callbacks(may_continue=lambda step, _: step < 20))
    assert [line.step for line in fitted.history] == [10, 20]
    assert fitted.stopped == "time"


def interrupting(at: int) -> Callbacks:
    def stop(step: int, _: int) -> None:
        if step == at:
            raise KeyboardInterrupt

    return Callbacks(progress=stop)


def test_ctrl_c_keeps_the_best_once_there_is_one(data: Data) -> None:
    fitted = fit(network(), data, QUICK, goal=GOAL, callbacks=interrupting(15))
    assert fitted.stopped == "interrupted"
    assert fitted.best.step == 10
    with pytest.raises(KeyboardInterrupt):
        fit(network(), data, QUICK, goal=GOAL, callbacks=interrupting(9))
    assert torch.get_num_threads() >= 1


class Exploding(nn.Module):
    """Gives NaN in training at the stated calls."""

    def __init__(self, at: tuple[int, ...]) -> None:
        super().__init__()
        self.body, self.head, self._at, self._n = nn.Flatten(), nn.Linear(64, 10), at, 0

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.body(x))
        if self.training and torch.is_grad_enabled():
            self._n += 1
            return outputs * float("nan") if self._n in self._at else outputs
        return outputs


def test_nan_steps_back_once_with_a_smaller_rate(data: Data) -> None:
    settings = dataclasses.replace(QUICK, schedule="constant", warm_up=0.0)
    fitted = fit(Exploding((15,)), data, settings, goal=GOAL)
    assert fitted.stopped == "epochs"
    assert len(fitted.notes) == 1
    assert "numbers at step 15, first in layer 'head'" in fitted.notes[0]
    assert "back to step 10, with 0.3 times the learning rate" in fitted.notes[0]
    assert [line.learning_rate for line in fitted.history] == pytest.approx([0.01, 0.003, 0.003, 0.003])
    assert [line.step for line in fitted.history] == [10, 20, 30, 40]
    with pytest.raises(BottegaError, match="a second time, at step 16, first in"):
        fit(Exploding((15, 21)), data, settings, goal=GOAL)


def test_a_step_back_undoes_every_step_since(data: Data) -> None:
    fitted = []
    for at in (11, 15):  # at the first step of the second epoch, and after four of its steps
        torch.manual_seed(0)
        fitted.append(fit(Exploding((at,)), data, QUICK, goal=GOAL))
    assert same_bytes(*fitted)


def test_the_layer_in_which_numbers_end_is_named(data: Data) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Linear(8, 10))
    with torch.no_grad():
        module[1].weight.fill_(1e20)
        module[2].weight.fill_(1e20)
    with pytest.raises(BottegaError, match="a second time, at step 1, first in layer '2'"):
        fit(module, data, QUICK, goal=GOAL)


class Hungry(nn.Module):
    """Has memory for so many examples at once."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.layer, self._most = nn.Linear(64, 10), most

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() and len(x) > self._most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes.")
        outputs: Tensor = self.layer(x.flatten(1))
        return outputs


def test_a_batch_that_memory_is_too_small_for_goes_through_in_pieces(data: Data) -> None:
    torch.manual_seed(0)
    small = fit(Hungry(20), data, QUICK, goal=GOAL)
    torch.manual_seed(0)
    large = fit(Hungry(1000), data, QUICK, goal=GOAL)
    assert "each batch goes through in 4 pieces" in small.notes[0]
    assert not large.notes
    assert small.best.val_loss == pytest.approx(large.best.val_loss, rel=1e-3)  # the step is the same one
    with pytest.raises(BottegaError, match="not enough memory for a single example"):
        fit(Hungry(0), data, QUICK, goal=GOAL)


@pytest.mark.parametrize(("n_train", "batch_size"), [(1, 64), (3, 64), (65, 64), (20, 10_000)])
def test_few_examples_and_large_batches(n_train: int, batch_size: int) -> None:
    fitted = fit(network(), digits(n_train), dataclasses.replace(QUICK, batch_size=batch_size), goal=GOAL)
    assert fitted.stopped == "epochs"


def test_values_are_learned_too() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 5)).astype(np.float32)
    y = (x[:, 0] * 3 + 1).astype(np.float32)
    data = Data.standardised(Examples(x[:300], y[:300]), Examples(x[300:], y[300:]))

    def rmse(y: npt.NDArray[Any], values: npt.NDArray[np.float32]) -> float:
        return float(np.sqrt(np.mean((y - values) ** 2)))

    goal = Goal(rmse, higher_is_better=False, objective=SquaredError())
    settings = Settings(epochs=30, batch_size=32, learning_rate=0.05)
    assert fit(nn.Linear(5, 1), data, settings, goal=goal).best.val_score < 0.1
    with pytest.raises(BottegaError, match=r"a tensor of shape \(128, 1\)"):
        fit(nn.Linear(5, 2), data, settings, goal=goal)


def digest(fitted: Fitted) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in fitted.arrays.values())).hexdigest()


def test_one_core_or_two_give_the_same_bytes(data: Data, tmp_path: Path) -> None:
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two cores and a system that can hide one")
    settings = dataclasses.replace(QUICK, epochs=2, threads=2, precision="bfloat16")
    script = tmp_path / "train.py"
    script.write_text(
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        f"import test_loop as t; from bottega.training.settings import Settings; settings = {settings!r}\n"
        "print(t.digest(t.fit(t.network(), t.digits(), settings, goal=t.GOAL)))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "2"}
    ran = subprocess.run([sys.executable, str(script)], env=env, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == digest(fit(network(), data, settings, goal=GOAL))
