"""Digits as candidates see them: a plain view that is enough, and a wider one that stands for a network's."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

from bottega.workflow.candidates import Material, Rules, Spec
from bottega.workflow.specs import picture_specs

RULES = Rules(metric="accuracy", margin=None, ship="best", sure_at=0.9, split_seed=0, k=3)
NAMES = tuple("zero one two three four five six seven eight nine".split())


@cache
def digits(n: int, *, n_classes: int = 10, twins: int = 0) -> Material:
    """The first `n` digits of the classes 0 … n_classes - 1.

    Args:
        twins: how many of them come twice, with a little noise, in the same group; they stand at the end.
    """
    x, y = load_digits(n_class=n_classes, return_X_y=True)
    x, y = (x[:n] / 16).astype(np.float32), y[:n].astype(np.int64)
    groups = np.arange(n)
    rng = np.random.default_rng(0)
    if twins:
        noisy = np.clip(x[:twins] + rng.normal(0, 0.01, (twins, 64)), 0, 1).astype(np.float32)
        x, y, groups = np.vstack([x, noisy]), np.concatenate([y, y[:twins]]), np.concatenate([groups, groups[:twins]])
    names = rng.integers(0, 256, (n, 32), dtype=np.uint8)[groups]
    wide = np.maximum((x - 0.3) @ rng.normal(size=(64, 200)), 0).astype(np.float32)
    labels = [NAMES[number] for number in y]
    return Material({"plain": x, "network": wide}, y, groups, names, labels, NAMES[:n_classes])


def specs(material: Material, views: Sequence[str] = ("network",), metric: str = "accuracy") -> list[Spec]:
    return picture_specs(views, material.n_classes, metric=metric, seed=0, threads=1)


def parts(material: Material, *cuts: int) -> list[npt.NDArray[np.int64]]:
    """Row numbers, cut at the given places."""
    return np.split(np.arange(len(material.y)), cuts)
