"""Networks for texts, from scratch: a bag of embeddings, filters over words, and an LSTM."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from bottega.models.text_plans import TextPlan

__all__ = ["LENGTHS", "TextNet"]

LENGTHS = (3, 4, 5)  # words that a filter sees
PADDING = 0
SPREAD = 0.1  # of the first embeddings, about that of trained word vectors of this length
INPUT_DROPOUT = 0.2


class TextNet(nn.Module):
    """A classifier of rows of tokens, 0 behind the end of each.

    Shape: (B, T) int64 -> (B, C) logits.
    Source: Joulin et al. 2017, "Bag of tricks for efficient text classification"; Kim 2014, "Convolutional neural
    networks for sentence classification"; Conneau et al. 2017 (the largest answer of an LSTM in both directions).
    They depart from these in their size, made for two cores; the first in its pairs of words, which have numbers of
    their own instead of sharing buckets, and the second in AdamW where the paper bounds norms.
    """

    def __init__(self, plan: TextPlan, n_tokens: int, n_classes: int) -> None:
        super().__init__()
        self.plan = plan
        self.embedding = nn.Embedding(n_tokens, plan.n_embedding, padding_idx=PADDING)
        nn.init.normal_(self.embedding.weight, 0, SPREAD)
        with torch.no_grad():
            self.embedding.weight[PADDING] = 0
        self.body: Any = _body(plan)
        n_inputs = {"mean": plan.n_embedding, "filters": len(LENGTHS) * plan.width, "recurrent": 2 * plan.width}
        self.head = nn.Linear(n_inputs[plan.body], n_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Answer rows of tokens."""
        if self.body is None:
            x = functional.embedding_bag(tokens, self.embedding.weight, mode="mean", padding_idx=PADDING)
        else:
            x = functional.dropout(self.embedding(tokens), INPUT_DROPOUT, self.training)  # (B, T, E)
            x = self._filtered(x) if self.plan.body == "filters" else self._read(x, tokens)
        logits: Tensor = self.head(functional.dropout(x, self.plan.dropout, self.training))
        return logits

    def _filtered(self, x: Tensor) -> Tensor:
        """(B, T, E) -> (B, 3 F). What stands behind the end is seen by every text, so batches don't matter."""
        x = functional.pad(x.transpose(1, 2), (0, max(LENGTHS)))
        return torch.cat([functional.relu(layer(x).amax(2)) for layer in self.body], 1)

    def _read(self, x: Tensor, tokens: Tensor) -> Tensor:
        """(B, T, E) -> (B, 2 H)."""
        n = (tokens != PADDING).sum(1).clamp_min(1)
        packed, _ = self.body(pack_padded_sequence(x, n, batch_first=True, enforce_sorted=False))
        states, _ = pad_packed_sequence(packed, batch_first=True, padding_value=-2.0)  # below what a tanh gives
        return states.amax(1)


def _body(plan: TextPlan) -> nn.Module | None:
    if plan.body == "mean":
        return None
    if plan.body == "filters":
        return nn.ModuleList(nn.Conv1d(plan.n_embedding, plan.width, length) for length in LENGTHS)
    return nn.LSTM(plan.n_embedding, plan.width, batch_first=True, bidirectional=True)
