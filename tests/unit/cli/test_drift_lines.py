"""Drift on the terminal."""

from bottega.cli.drift_lines import drift_lines
from bottega.problem.drift import ColumnDrift, Drift

STILL = ColumnDrift("age", 0.1, 0.5, False, "at most 3: 10 % of the rows, in training 20 %", None)


def test_too_few_rows_do_not_say_that_nothing_moved() -> None:
    few = Drift(n=1, n_independent=1.0, rate=0.05, smallest=1.0, columns=(STILL,), left_out=())
    assert drift_lines(few) == ["Columns      1 row cannot tell whether any of 1 has moved since training"]
    many = Drift(n=900, n_independent=900.0, rate=0.05, smallest=0.07, columns=(STILL,), left_out=())
    assert "none of 1 has moved since training; in 900 rows" in drift_lines(many)[0]
