"""The whole model of texts as one graph: `text` string [N] in, or one input per column; answers out."""

from collections.abc import Sequence
from dataclasses import dataclass

from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.data.table_preparation import TablePreparation, add_encoder
from bottega.data.text_characters import TextGraphBuilder, TextPreparation, add_codes, text_input
from bottega.data.wordpiece import Pieces, add_known_pieces, add_pieces
from bottega.evaluation.forms import Form, Graph
from bottega.evaluation.table_forms import Dense
from bottega.shipping.answers import add_labels
from bottega.shipping.table_tails import add_dense
from bottega.shipping.tails import add_tail
from bottega.shipping.text_tails import any_of

__all__ = ["Beside", "TextInput", "text_classifier"]


@dataclass(frozen=True)
class Beside:
    """Columns beside the texts: how their cells are read, and how they become numbers of about one size."""

    prepared: TablePreparation
    dense: Dense

    def add(self, g: GraphBuilder) -> str:
        """Declare one input per column; float32 [N, B]."""
        return add_dense(g, self.dense, add_encoder(g, self.prepared))


class TextInput:
    """What stands below the fitted part.

    Args:
        prepared: None where characters aren't looked at by themselves.
        network: the sentence network as a graph, `pieces` -> `features`, with its vocabulary; None without one.
        columns: the inputs of texts; several are joined, a line each.
        beside: columns beside the texts; their numbers follow the features. None where there are none.
    """

    def __init__(
        self,
        prepared: TextPreparation | None,
        network: tuple[Pieces, bytes] | None,
        columns: Sequence[str] = ("text",),
        beside: Beside | None = None,
    ) -> None:
        self.prepared = prepared
        self.network = network
        self.columns = columns
        self.beside = beside

    def add(self, g: TextGraphBuilder) -> tuple[str, list[str]]:
        """Codes, or features, or codes and behind them features: float32 [N, L], [N, D], [N, L + D].

        With it, where there is a network, bool [N]: whether it knows a piece of a text.
        """
        text, parts, known = text_input(g, self.columns), [], []
        if self.prepared is not None:
            parts.append(g.op("Cast", add_codes(g, self.prepared, text), to=TensorProto.FLOAT))
        if self.network is not None:
            pieces, graph = self.network
            found = add_pieces(g, pieces, text)
            parts += g.include(graph, {"pieces": found})
            known.append(add_known_pieces(g, pieces, found))
        if self.beside is not None:
            parts.append(self.beside.add(g))
        return parts[0] if len(parts) == 1 else g.op("Concat", *parts, axis=1), known


def text_classifier(
    below: TextInput, form: Form, labels: Sequence[str], *, temperature: float, threshold: float | None
) -> bytes:
    """Texts in; `label`, `probabilities` and `sure` out; of what a text doesn't tell nothing is sure.

    Args:
        form: what the chosen candidate learned on what `below` makes.
        temperature: scores are divided by it before the softmax.
        threshold: of `sure`; None when nothing is sure.
    """
    g = TextGraphBuilder()
    x, known = below.add(g)
    if isinstance(form, Graph):
        scores, *of_form = g.include(form.data, {"x": x})
        known += of_form
    else:
        scores = add_tail(g, form, x)
    read = any_of(g, known) if known else None
    add_labels(g, scores, labels, temperature=temperature, threshold=threshold, known=read)
    return g.model()
