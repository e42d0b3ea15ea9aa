"""Adam, AdamW and SGD with momentum, over torch's fused kernels: one pass over the memory a step.

torch's own optimiser classes import its compiler as soon as one is made, which takes longer than a small training;
these are equal to them (tests/unit/training/test_optimiser.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["Adam", "Optimiser", "Sgd", "decays", "make_optimiser"]

BETAS, EPSILON = (0.9, 0.999), 1e-8
_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


def decays(module: nn.Module) -> list[tuple[str, nn.Parameter, bool]]:
    """Each trainable parameter with its name, and whether weight decay is for it: not for biases and norms."""
    norms = {id(p) for layer in module.modules() if isinstance(layer, _NORMS) for p in layer.parameters(recurse=False)}
    return [(n, p, p.ndim > 1 and id(p) not in norms) for n, p in module.named_parameters() if p.requires_grad]


class Adam:
    """Adam; with `apart`, AdamW: the decay is taken from the weights themselves, and not through the gradient.

    Args:
        parameters: what is trained, each with whether it decays.
        weight_decay: per step, times the rate.
        shares: of the rate, one for each parameter; None for the whole rate.
    Source: Kingma and Ba 2015; Loshchilov and Hutter 2019.
    """

    def __init__(
        self,
        parameters: Sequence[tuple[Tensor, bool]],
        weight_decay: float,
        *,
        apart: bool,
        shares: Sequence[float] | None = None,
    ) -> None:
        self._kernel = torch._fused_adamw_ if apart else torch._fused_adam_
        self._groups = list(_groups(parameters, weight_decay, shares))
        self._means = [[torch.zeros_like(p) for p in group.parameters] for group in self._groups]
        self._squares = [[torch.zeros_like(p) for p in group.parameters] for group in self._groups]
        self._counts = [[torch.zeros((), device=p.device) for p in group.parameters] for group in self._groups]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every parameter that has a gradient."""
        for group, *slots in zip(self._groups, self._means, self._squares, self._counts, strict=True):
            held = {at: p.grad for at, p in enumerate(group.parameters) if p.grad is not None}
            if not held:
                continue
            means, squares, counts = ([slot[at] for at in held] for slot in slots)
            torch._foreach_add_(counts, 1)
            self._kernel(
                [group.parameters[at] for at in held], list(held.values()), means, squares, [], counts,
                lr=rate * group.share, beta1=BETAS[0], beta2=BETAS[1], weight_decay=group.decay, eps=EPSILON,
                amsgrad=False, maximize=False,
            )  # fmt: skip

    def state(self) -> Mapping[str, Tensor]:
        """The tensors that it remembers by, themselves and not copies."""
        kinds = {"mean": self._means, "square": self._squares, "count": self._counts}
        return {
            f"{kind}.{i}.{j}": t for kind, all_ in kinds.items() for i, g in enumerate(all_) for j, t in enumerate(g)
        }


class Sgd:
    """Stochastic gradient descent with momentum; the decay goes through the gradient.

    Source: Polyak 1964; Sutskever et al. 2013.
    """

    def __init__(
        self,
        parameters: Sequence[tuple[Tensor, bool]],
        weight_decay: float,
        *,
        momentum: float,
        shares: Sequence[float] | None = None,
    ) -> None:
        self._groups = list(_groups(parameters, weight_decay, shares))
        self._momentum = momentum
        self._speeds = [[torch.zeros_like(p) for p in group.parameters] for group in self._groups]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every parameter that has a gradient."""
        for group, slots in zip(self._groups, self._speeds, strict=True):
            held = {at: p.grad for at, p in enumerate(group.parameters) if p.grad is not None}
            if not held:
                continue
            torch._fused_sgd_(
                [group.parameters[at] for at in held], list(held.values()), [slots[at] for at in held],
                lr=rate * group.share, momentum=self._momentum, weight_decay=group.decay, dampening=0.0,
                nesterov=False, maximize=False, is_first_step=False,
            )  # fmt: skip

    def state(self) -> Mapping[str, Tensor]:
        """The tensors that it remembers by, themselves and not copies."""
        return {f"speed.{i}.{j}": t for i, group in enumerate(self._speeds) for j, t in enumerate(group)}


Optimiser = Adam | Sgd


def make_optimiser(kind: str, module: nn.Module, *, weight_decay: float, momentum: float) -> Optimiser:
    """The optimiser for what is trainable in `module`.

    Args:
        kind: one of `settings.OPTIMISERS`.
        module: may have `rate_share(name) -> float`: the share of the rate that the parameter of this name is given.
    """
    trained = decays(module)
    parameters = [(parameter, decaying) for _, parameter, decaying in trained]
    share_of = getattr(module, "rate_share", None)
    shares = None if share_of is None else [float(share_of(name)) for name, _, _ in trained]
    if kind == "sgd":
        return Sgd(parameters, weight_decay, momentum=momentum, shares=shares)
    return Adam(parameters, weight_decay, apart=kind == "adamw", shares=shares)


@dataclass(frozen=True)
class _Group:
    """Parameters that are treated alike: their decay, and their share of the rate."""

    parameters: list[Tensor]
    decay: float
    share: float


def _groups(
    parameters: Sequence[tuple[Tensor, bool]], weight_decay: float, shares: Sequence[float] | None
) -> Iterator[_Group]:
    """What decays, and what doesn't; within it what has the same share of the rate."""
    shares = [1.0] * len(parameters) if shares is None else shares
    for wanted, decay in ((True, weight_decay), (False, 0.0)):
        for share in sorted(set(shares), reverse=True):
            rows = zip(parameters, shares, strict=True)
            alike = [parameter for (parameter, decaying), own in rows if decaying == wanted and own == share]
            if alike:
                yield _Group(alike, decay, share)
