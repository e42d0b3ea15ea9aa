"""The whole model of a table as one graph: one input per column in, answers out."""

from collections.abc import Sequence

from bottega.data.table_preparation import TablePreparation, add_encoder, graph_builder
from bottega.evaluation.conformal import Interval
from bottega.evaluation.costs import Costs
from bottega.evaluation.forms import Form
from bottega.shipping.answers import add_labels, add_values
from bottega.shipping.tails import add_tail

__all__ = ["table_classifier", "table_regressor"]


def table_classifier(
    prepared: TablePreparation,
    form: Form,
    labels: Sequence[str],
    *,
    temperature: float,
    threshold: float | None,
    costs: Costs | None = None,
) -> bytes:
    """Columns in; `label`, `probabilities` and `sure` out.

    Args:
        form: what the chosen candidate learned on the encoded matrix.
        temperature: scores are divided by it before the softmax.
        threshold: of `sure`; None when nothing is sure.
        costs: by which the label is chosen; None for the most probable one.
    """
    g = graph_builder(prepared)
    scores = add_tail(g, form, add_encoder(g, prepared))
    add_labels(g, scores, labels, temperature=temperature, threshold=threshold, costs=costs)
    return g.model()


def table_regressor(prepared: TablePreparation, form: Form, interval: Interval) -> bytes:
    """Columns in; `value`, `lower` and `upper` out."""
    g = graph_builder(prepared)
    add_values(g, add_tail(g, form, add_encoder(g, prepared)), interval)
    return g.model()
