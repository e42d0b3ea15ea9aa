"""The files of several targets as one: their graphs side by side over the same inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bottega.data.graph import GraphBuilder
from bottega.data.text_characters import TextGraphBuilder
from bottega.errors import BottegaError
from bottega.problem.table import ColumnSpec
from bottega.shipping import wire
from bottega.shipping.model_file import ELEMENT_TYPES, Card, read, target_outputs

__all__ = ["merge_targets"]


def merge_targets(files: Sequence[bytes]) -> tuple[bytes, tuple[ColumnSpec, ...], tuple[Card, ...]]:
    """Put the graphs of files that each answer one target of a table next to each other.

    Nothing is computed anew: each target's answers are those of its own file, to the bit.

    Args:
        files: whole model files; their targets differ.
    Returns:
        The graph, whose outputs are named `target_outputs`; the columns that it takes; and the card of each target,
        its inputs named as this graph names them.
    Raises:
        BottegaError: two files take one column for different things.
    """
    opened = [read(data) for data in files]
    outputs = target_outputs([card for card, _ in opened])
    columns = _shared_columns([card for card, _ in opened], {one.name for one in outputs})
    g = TextGraphBuilder() if any(one.kind == "text" for one in columns.values()) else GraphBuilder()
    for one in columns.values():
        g.input(one.name, ELEMENT_TYPES[one.dtype], ["N"])
    results: list[str] = []
    cards = []
    for card, data in opened:
        own = [one for one in card.inputs if isinstance(one, ColumnSpec)]
        fed = {one.name: columns[one.column].name for one in own}
        results += g.include(wire.without_metadata(data), fed)
        cards.append(replace(card, inputs=tuple(replace(one, name=columns[one.column].name) for one in own)))
    for result, spec in zip(results, outputs, strict=True):
        g.output(result, spec.name, ELEMENT_TYPES[spec.dtype], list(spec.shape))
    return g.model(), tuple(columns.values()), tuple(cards)


def _shared_columns(cards: Sequence[Card], outputs: set[str]) -> Mapping[str, ColumnSpec]:
    """Each column once, by its name in the data; its input is renamed where an output is called so."""
    found: dict[str, ColumnSpec] = {}
    for card in cards:
        for one in card.inputs:
            if not isinstance(one, ColumnSpec):
                raise BottegaError(
                    found=f"a model of {card.modality}", expected="models of one table", fix="train each on its own"
                )
            # so that no two columns end up with one name, all that differ in underscores get one more
            name = f"{one.name}_" if one.name.rstrip("_") in outputs else one.name
            first = found.setdefault(one.column, replace(one, name=name))
            if (first.kind, first.format, first.written) != (one.kind, one.format, one.written):
                raise BottegaError(
                    found=f"the column {one.column!r} as {first.kind} for one target and as {one.kind} for another",
                    expected="one kind for a column",
                    fix=f"state it: --type '{one.column}={first.kind}'",
                )
    return found
