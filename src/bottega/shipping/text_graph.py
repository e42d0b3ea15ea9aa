"""The whole model of texts as one graph: `text` string [N] in, answers out."""

from collections.abc import Sequence

from onnx import TensorProto

from bottega.data.text_characters import TextGraphBuilder, TextPreparation, add_codes, text_input
from bottega.data.wordpiece import Pieces, add_pieces
from bottega.evaluation.forms import Form
from bottega.shipping.answers import add_labels
from bottega.shipping.tails import add_tail

__all__ = ["TextInput", "text_classifier"]


class TextInput:
    """What stands below the fitted part.

    Args:
        prepared: None where characters aren't looked at by themselves.
        network: the sentence network as a graph, `pieces` -> `features`, with its vocabulary; None without one.
    """

    def __init__(self, prepared: TextPreparation | None, network: tuple[Pieces, bytes] | None) -> None:
        self.prepared = prepared
        self.network = network

    def add(self, g: TextGraphBuilder) -> str:
        """Codes, or features, or codes and behind them features: float32 [N, L], [N, D], [N, L + D]."""
        text, parts = text_input(g), []
        if self.prepared is not None:
            parts.append(g.op("Cast", add_codes(g, self.prepared, text), to=TensorProto.FLOAT))
        if self.network is not None:
            pieces, graph = self.network
            parts += g.include(graph, {"pieces": add_pieces(g, pieces, text)})
        return parts[0] if len(parts) == 1 else g.op("Concat", *parts, axis=1)


def text_classifier(
    below: TextInput, form: Form, labels: Sequence[str], *, temperature: float, threshold: float | None
) -> bytes:
    """Texts in; `label`, `probabilities` and `sure` out.

    Args:
        form: what the chosen candidate learned on what `below` makes.
        temperature: scores are divided by it before the softmax.
        threshold: of `sure`; None when nothing is sure.
    """
    g = TextGraphBuilder()
    scores = add_tail(g, form, below.add(g))
    add_labels(g, scores, labels, temperature=temperature, threshold=threshold)
    return g.model()
