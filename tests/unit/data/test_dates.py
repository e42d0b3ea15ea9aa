"""Dates as operators, against the standard library's calendar."""

import datetime
import re

import numpy as np
import pytest
from onnx import TensorProto
from onnxruntime import InferenceSession

from bottega.data.dates import add_date, date_parts, date_pattern
from bottega.data.graph import GraphBuilder
from bottega.errors import BottegaError


def read(cells: list[str], format: str) -> np.ndarray:
    g = GraphBuilder()
    parts = add_date(g, g.input("d", TensorProto.STRING, ["N"]), format)
    g.output(parts, "parts", TensorProto.FLOAT, ["N", len(date_parts(format))])
    return InferenceSession(g.model()).run(None, {"d": np.array(cells, dtype=object)})[0]


@pytest.mark.parametrize("format", ["%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%Y/%d %m"])
def test_every_kind_of_day_is_read_as_the_calendar_says(format):
    start = datetime.date(1000, 1, 1).toordinal()
    ordinals = [*np.random.default_rng(0).integers(start, 3_652_059, 2000), 3_652_059, start, 730_119, 730_179, 730_180]
    days = [datetime.date.fromordinal(int(ordinal)) for ordinal in ordinals]
    expected = [[d.toordinal() - 730_120, d.year, d.month, d.day, d.weekday()] for d in days]
    np.testing.assert_array_equal(read([d.strftime(format) for d in days], format), np.array(expected, np.float32))


def test_figures_may_lack_their_leading_zero():
    np.testing.assert_array_equal(read(["1/2/2011"], "%m/%d/%Y"), read(["01/02/2011"], "%m/%d/%Y"))


def test_hours_are_a_share_of_the_day():
    parts = read(["2000-01-02 06:30:00", "2000-01-01 23:59:59"], "%Y-%m-%d %H:%M:%S")
    np.testing.assert_allclose(parts[:, 0], [1 + 6.5 / 24, 1 - 1 / 86400], rtol=1e-6)
    np.testing.assert_allclose(parts[:, -1], [6.5, 24 - 1 / 3600], rtol=1e-6)


def test_what_is_no_date_is_missing_and_breaks_no_row_beside_it():
    cells = ["", "2020-02-29", "2020-13-01", "2020-02-29 ", "gestern", "20200229", "２０２０-01-01", "2020-1"]
    parts = read(cells, "%Y-%m-%d")
    assert np.isnan(parts[[0, 2, 3, 4, 5, 6, 7]]).all()
    np.testing.assert_array_equal(parts[1], [7364, 2020, 2, 29, 5])
    assert read([], "%Y-%m-%d").shape == (0, 5)


def test_the_pattern_is_what_the_graph_accepts():
    cells = ["2020-2-9", "2020-02-09", "2020-002-09", "x2020-02-09", "0000-01-01"]
    accepted = ~np.isnan(read(cells, "%Y-%m-%d")[:, 0])
    assert accepted.tolist() == [bool(re.fullmatch(date_pattern("%Y-%m-%d"), cell)) for cell in cells]


@pytest.mark.parametrize("format", ["%Y%m%d", "%d %B %Y", "%m/%d", "day %Y-%m-%d", "%Y-%m-%d %S", ""])
def test_a_format_that_no_operator_reads_is_refused(format):
    with pytest.raises(BottegaError, match=r"(?s)found: dates written as .*fix: write them as 2024-03-31"):
        date_parts(format)
