"""The upper layers of the sentence network in torch, so that they can be trained on."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from bottega.models.sentence import N_HEADS, N_LAYERS, NORM_EPSILON, WIDTH

__all__ = ["UpperLayers"]

HEAD_DROPOUT = 0.1
_PLACES = {  # of a layer's parts in the published state
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "attended": "attention.output.dense", "first_norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense", "outer": "output.dense", "second_norm": "output.LayerNorm",
}  # fmt: skip


class UpperLayers(nn.Module):
    """The last layers as they were published, the mean over a text's pieces, and a new linear layer.

    Shape: states (B, T, 384) of the layer below, inside (B, T) bool -> (B, C) logits.
    Source: Devlin et al. 2019, "BERT"; the mean as in Reimers and Gurevych 2019, "Sentence-BERT".

    Args:
        weights: the published state, by name.
    """

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], n_layers: int, n_classes: int) -> None:
        super().__init__()
        first = N_LAYERS - n_layers
        self.layers = nn.ModuleDict({str(number): _Layer() for number in range(first, N_LAYERS)})
        for number, layer in self.layers.items():
            for part, place in _PLACES.items():
                for kind, parameter in getattr(layer, part).named_parameters():
                    value = np.array(weights[f"encoder.layer.{number}.{place}.{kind}"], np.float32)
                    parameter.data = torch.from_numpy(value)
        self.head = nn.Linear(WIDTH, n_classes)

    def forward(self, states: Tensor, inside: Tensor) -> Tensor:
        """Answer texts by the states of the layer below."""
        x = states
        for layer in self.layers.values():
            x = layer(x, inside)
        share = inside[..., None]
        mean = (x * share).sum(1) / share.sum(1)
        logits: Tensor = self.head(functional.dropout(mean, HEAD_DROPOUT, self.training))
        return logits

    def learned(self) -> dict[str, npt.NDArray[np.float32]]:
        """The layers' state by the published names, as it is now."""
        return {
            f"encoder.layer.{number}.{place}.{kind}": parameter.detach().numpy().copy()
            for number, layer in self.layers.items()
            for part, place in _PLACES.items()
            for kind, parameter in getattr(layer, part).named_parameters()
        }


class _Layer(nn.Module):
    """Shape: (B, T, 384) -> the same."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.attended = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.inner, self.outer = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.first_norm, self.second_norm = (nn.LayerNorm(WIDTH, NORM_EPSILON) for _ in range(2))

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        query, key, value = (
            part(x).unflatten(2, (N_HEADS, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )  # (B, H, T, 32)
        mask = torch.where(inside, 0.0, -torch.inf)[:, None, None]
        gathered = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = self.first_norm(x + self.attended(gathered.transpose(1, 2).flatten(2)))
        made: Tensor = self.second_norm(x + self.outer(functional.gelu(self.inner(x))))
        return made
