"""A network on the terminal: its layers under each other, what each gives, holds, costs and sees."""

from bottega.cli import terminal
from bottega.problem.network import shape_text
from bottega.problem.network_summary import LayerSummary, NetworkSummary, Row, rows

__all__ = ["table_lines"]

MOST_ROWS, LAST_ROWS = 17, 5  # with what stands above and below, 25 lines
TEXT, SHAPE = 39, 12  # columns


def table_lines(record: NetworkSummary, *, everything: bool = False) -> list[str]:
    """Lay out a network: its sums first, then its layers, then its memory.

    Args:
        everything: each layer by itself; without it what belongs together stands in one row, in at most 25 lines.
    """
    one = shape_text(record.input) if len(record.input) == 3 else f"{record.input[0]:,} columns"
    lines = [
        f"{terminal.escape(record.name)}: {record.parameters:,} parameters",
        f"{_short(record.multiply_adds)} multiply-adds for one example of {one}",
        "",
        _columns("", "output", "parameters", "work", "sees" if len(record.input) == 3 else ""),
    ]
    if everything:
        lines += [_line("  " * layer.depth + layer.text, layer, record) for layer in record.layers]
    else:
        lines += _row_lines(record)
    weights, kept = (_megabytes(n) for n in (record.parameter_bytes, record.activation_bytes))
    return [*lines, "", f"Memory       {weights} of weights; training keeps {kept} for each example"]


def _row_lines(record: NetworkSummary) -> list[str]:
    table = rows(record)
    lines = [_line((f"{row.times} × " if row.times > 1 else "") + row.text, row, record) for row in table]
    if len(lines) <= MOST_ROWS:
        return lines
    n_more = len(lines) - MOST_ROWS + 1
    return [*lines[: MOST_ROWS - LAST_ROWS - 1], f"  … {n_more} rows between, shown by --all", *lines[-LAST_ROWS:]]


def _line(text: str, row: Row | LayerSummary, record: NetworkSummary) -> str:
    shown = text if len(text) <= TEXT else text[: TEXT - 2] + " …"
    parameters = f"{row.parameters:,}" if row.parameters else ""
    work = _short(row.multiply_adds) if row.multiply_adds else ""
    return _columns(shown, shape_text(row.output), parameters, work, _seen(row, record))


def _columns(text: str, output: str, parameters: str, work: str, sees: str) -> str:
    return f"  {text:<{TEXT}} {output:>{SHAPE}} {parameters:>11} {work:>7} {sees:>5}".rstrip()


def _seen(row: Row | LayerSummary, record: NetworkSummary) -> str:
    """Pixels each way that one output pixel sees; all of them where it sees beyond the border."""
    if len(record.input) == 1:
        return ""
    field = row.receptive_field
    return "all" if field is None or field >= max(record.input[1:]) else str(field)


def _short(n: int) -> str:
    """A count in at most six letters: 1,280, 226 k, 10.8 M, 1.2 G."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if n >= unit:
            value = n / (1e3 if name == "k" else unit)
            return f"{value:.1f} {name}" if value < 99.95 and name != "k" else f"{value:.0f} {name}"
    return f"{n:,}"


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e5 else f"{n_bytes / 1e3:.1f} kB"
