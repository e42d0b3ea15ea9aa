"""A pretrained network that learns on: its first blocks stay, the others move slowly under a new last layer."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bottega.models.images import EfficientNetLite, load_efficientnet_lite

__all__ = ["Finetuned", "finetuned"]

N_FROZEN = 5  # blocks of the first three stages: edges and textures, which are the same in all pictures
BODY_SHARE = 0.2  # of the learning rate


class Finetuned(nn.Module):
    """EfficientNet-Lite under a linear layer.

    Its batch norms stay as they were published, weights and statistics: a batch of a few pictures knows less about
    pictures than they do. The blocks after the first three stages learn at a fifth of the rate of the last layer.
    Shape: (B, 3, S, S), scaled as for the pretrained network -> (B, n_classes).
    """

    def __init__(self, body: EfficientNetLite, n_classes: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.zeros(body.n_features))
        self.register_buffer("scale", torch.ones(body.n_features))
        self.dropout = nn.Dropout(dropout)
        self.answer = nn.Linear(body.n_features, n_classes)
        self._norms = [module for module in body.modules() if isinstance(module, nn.BatchNorm2d)]
        frozen = [body._conv_stem, *list(body._blocks)[:N_FROZEN], *self._norms]
        for module in frozen:
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> "Finetuned":
        """As ever, but that the norms keep their statistics."""
        super().train(mode)
        for norm in self._norms:
            norm.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Answer scaled pictures."""
        z = (self.body(x) - self.mean) / self.scale
        answers: Tensor = self.answer(self.dropout(z))
        return answers

    @staticmethod
    def rate_share(name: str) -> float:
        """The share of the learning rate for the parameter of this name."""
        return BODY_SHARE if name.startswith("body.") else 1.0

    @torch.no_grad()
    def start_from(self, head: Mapping[str, NDArray[np.float32]]) -> None:
        """Begin with a layer that was fitted on the frozen features: `mean`, `scale` (D,), `weight` (D, C), `bias`."""
        for name in ("mean", "scale"):
            getattr(self, name).copy_(torch.from_numpy(head[name]))
        self.answer.weight.copy_(torch.from_numpy(head["weight"].T.copy()))
        self.answer.bias.copy_(torch.from_numpy(head["bias"]))


def finetuned(name: str, weights_path: Path, n_classes: int) -> Finetuned:
    """The network as published, with a last layer of zeros.

    Args:
        name: a key of `models.lite.LITE`.
        weights_path: its published weights, already proved by their SHA-256.
    """
    weights = torch.load(weights_path, map_location="cpu", weights_only=True)
    network = Finetuned(load_efficientnet_lite(name, weights), n_classes)
    nn.init.zeros_(network.answer.weight)
    nn.init.zeros_(network.answer.bias)
    return network
