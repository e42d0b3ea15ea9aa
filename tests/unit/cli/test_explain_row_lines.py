"""What drove one row, on the terminal."""

from bottega.cli.explain_row_lines import row_lines
from bottega.problem.understanding_records import ReplacedCells, RowAnswer


def test_a_change_that_rounds_to_nothing_has_no_sign() -> None:
    columns = (ReplacedCells(("Sex",), ("male",), 0.163, 0.36), ReplacedCells(("Parch",), (0.0,), -0.0002, 0.0))
    lines = row_lines(RowAnswer("row 2", "0", 0.912, columns, (), 200), "Survived")
    assert any(line.endswith("+16.3  another answer in 36 %") for line in lines)
    assert next(line for line in lines if "Parch" in line).split() == ["Parch", "0", "0"]
