"""What the training loop is measured against: the shortest PyTorch loop that trains the same, and nothing else."""

import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bottega.training.loop import Data, Examples, Settings

__all__ = ["bare_epochs", "time_to_accuracy"]

ENOUGH = 0.99
MOST_EPOCHS = 15


def scaled(x: Tensor, data: Data) -> Tensor:
    x = (x.float() - torch.from_numpy(data.mean)) / torch.from_numpy(data.scale)
    return x.to(memory_format=torch.channels_last)


def bare_epochs(module: nn.Module, data: Data, settings: Settings, *, validate: bool) -> None:
    """AdamW under one cycle, with torch's own optimiser in its fastest form."""
    torch.set_num_threads(settings.threads)
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x, y = torch.from_numpy(data.train.x), torch.from_numpy(data.train.y)
    optimiser = torch.optim.AdamW(module.parameters(), weight_decay=settings.weight_decay, fused=True)
    n_steps = settings.epochs * -(-len(x) // settings.batch_size)
    rate = settings.learning_rate or 1e-3
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=n_steps, cycle_momentum=False)
    for _ in range(settings.epochs):
        module.train()
        for rows in torch.split(torch.randperm(len(x)), settings.batch_size):
            with torch.autocast("cpu", torch.bfloat16, enabled=settings.precision == "bfloat16"):
                logits = module(scaled(x[rows], data))
            loss = functional.cross_entropy(logits.float(), y[rows])
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            cycle.step()
        if validate and data.val is not None:
            share_right(module, data, data.val, settings.precision)


def share_right(module: nn.Module, data: Data, examples: Examples, precision: str) -> float:
    module.eval()
    right = 0
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        for start in range(0, len(examples), 500):
            logits = module(scaled(torch.from_numpy(examples.x[start : start + 500]), data))
            right += int((logits.argmax(1) == torch.from_numpy(examples.y[start : start + 500])).sum())
    return right / len(examples)


def usual_network() -> nn.Sequential:
    """As in the first chapter of many a course: two convolutions at full resolution, one pooling, two dense layers."""
    torch.manual_seed(0)
    body = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(64 * 144, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))


def time_to_accuracy(data: Data, test: Examples, *, precision: str, threads: int) -> dict[str, Any]:
    """Adam at its usual rate, batches of 128; the test part is read after each epoch, off the clock.

    Reading it is kind to this loop: it may stop at the first lucky epoch.
    """
    torch.set_num_threads(threads)
    module = usual_network()
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x, y = torch.from_numpy(data.train.x), torch.from_numpy(data.train.y)
    optimiser = torch.optim.Adam(module.parameters(), 1e-3, fused=True)
    seconds = 0.0
    scores: list[float] = []
    while len(scores) < MOST_EPOCHS and (not scores or scores[-1] < ENOUGH):
        start = time.perf_counter()
        module.train()
        for rows in torch.split(torch.randperm(len(x)), 128):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                logits = module(scaled(x[rows], data))
            loss = functional.cross_entropy(logits.float(), y[rows])
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
        seconds += time.perf_counter() - start
        scores.append(share_right(module, data, test, precision))
    return {"seconds": round(seconds, 2), "test_accuracy": scores, "precision": precision, "layers": str(module)}
