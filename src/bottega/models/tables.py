"""Networks for tables: a perceptron, one whose numbers are unfolded first, and TabM, many perceptrons in one.

The building blocks are the published ones (`rtdl_num_embeddings`, `tabm`); what is ours is how they are put together.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bottega.models.table_plans import Layout, TablePlan

__all__ = ["TableNet", "number_edges"]

Floats = NDArray[np.float32]
N_FREQUENCIES = 16
FREQUENCY_SCALE = 0.1  # of the normal distribution that frequencies start from, in waves per standard deviation
N_BINS = 24


class TableNet(nn.Module):
    """One or several perceptrons on the dense matrix.

    Shape: (B, D) -> (B, k, C): every member's logits, or its standardised value (C = 1).
    Source: Gorishniy et al. 2022, "On embeddings for numerical features in tabular deep learning"; Gorishniy et al.
    2025, "TabM". It departs from them in its size, made for two cores, and in squashing the numbers smoothly
    (Holzmüller et al. 2024, "Better by default") where they go through a quantile transform.
    """

    def __init__(self, plan: TablePlan, layout: Layout, n_outputs: int, edges: Sequence[Floats]) -> None:
        from tabm import LinearEnsemble, MLPBackbone, MLPBackboneBatchEnsemble

        super().__init__()
        self.layout = layout
        self.unfold = _unfolding(plan, layout.n_number, edges)
        n_each = 1 if self.unfold is None else plan.n_embedding
        chunks = [n_each] * layout.n_number + list(layout.groups)
        blocks: dict[str, Any] = {
            "d_in": sum(chunks), "n_blocks": plan.depth, "d_block": plan.width, "dropout": plan.dropout
        }  # fmt: skip
        self.k = plan.k
        if plan.k == 1:
            self.body: nn.Module = MLPBackbone(**blocks)
            self.head: nn.Module = nn.Linear(plan.width, n_outputs)
        else:
            start = "random-signs" if self.unfold is None else "normal"
            self.body = MLPBackboneBatchEnsemble(
                **blocks, k=plan.k, tabm_init=True, scaling_init=start, start_scaling_init_chunks=chunks
            )
            self.head = LinearEnsemble(plan.width, n_outputs, k=plan.k)
        for block in self.body.blocks:  # type: ignore[union-attr]
            block[2] = ByteDropout(plan.dropout)

    def forward(self, z: Tensor) -> Tensor:
        """Answer dense rows."""
        n = self.layout.n_number
        numbers, rest = z[:, :n], z[:, n:]
        numbers = squash(numbers)
        if self.unfold is not None:
            numbers = self.unfold(numbers).flatten(1)  # (B, P) -> (B, P, E) -> (B, P E)
        x = torch.cat([numbers, rest], 1)
        if self.k == 1:
            answers: Tensor = self.head(self.body(x))
            return answers[:, None]  # (B, C) -> (B, 1, C)
        return self._members(x)

    def _members(self, x: Tensor) -> Tensor:
        """(B, I) -> (B, k, C). The members' scales are put into the weights, which are smaller than a batch is."""
        rows = x.expand(self.k, -1, -1)  # (B, I) -> (k, B, I)
        for linear, activation, dropout in self.body.blocks:  # type: ignore[union-attr]
            weight = linear.r[:, :, None] * linear.weight.T * linear.s[:, None]  # (k, I, O)
            rows = dropout(activation(torch.baddbmm(linear.bias[:, None], rows, weight)))
        answers = torch.baddbmm(self.head.bias[:, None], rows, self.head.weight)  # type: ignore[index, arg-type]
        return answers.transpose(0, 1)


class ByteDropout(nn.Module):
    """Dropout that spends one random byte on a unit: torch's own draws take longer than the layer does.

    Shape: any -> the same. The share that is dropped is a multiple of 1/256.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.n_dropped = round(256 * share)

    def forward(self, x: Tensor) -> Tensor:
        """Drop units in training, and scale up the others."""
        if not self.training or self.n_dropped == 0:
            return x
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= self.n_dropped
        return x * kept * (256 / (256 - self.n_dropped))


def squash(x: Tensor) -> Tensor:
    """Squash to x / sqrt(1 + (x / 3)^2): near 0 as it is, never beyond 3."""
    return x / (1 + (x / 3).square()).sqrt()


def number_edges(numbers: Floats) -> list[Floats]:
    """Edges of the steps: quantiles of each squashed column (N, P), at least two."""
    x = squash(torch.from_numpy(numbers.astype(np.float64))).numpy()
    found = []
    for column in x.T:
        edges = np.unique(np.quantile(column, np.linspace(0, 1, N_BINS + 1)).astype(np.float32))
        wide = edges[np.concatenate([[True], np.diff(edges) > 1e-4])]
        found.append(wide if len(wide) > 1 else np.array([wide[0], wide[0] + 1], np.float32))
    return found


def _unfolding(plan: TablePlan, n_number: int, edges: Sequence[Floats]) -> nn.Module | None:
    from rtdl_num_embeddings import PeriodicEmbeddings, PiecewiseLinearEmbeddings

    if plan.unfolding == "none" or n_number == 0:
        return None
    if plan.unfolding == "waves":
        scale = FREQUENCY_SCALE
        waves: nn.Module = PeriodicEmbeddings(
            n_number, plan.n_embedding, n_frequencies=N_FREQUENCIES, frequency_init_scale=scale, lite=False
        )
        return waves
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a yes/no column has one step, and may
        bins = [torch.from_numpy(edge) for edge in edges]
        steps: nn.Module = PiecewiseLinearEmbeddings(bins, plan.n_embedding, activation=False, version="B")
    return steps
