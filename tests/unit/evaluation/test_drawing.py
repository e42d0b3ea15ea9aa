"""Charts as SVG text."""

import re
from xml.etree import ElementTree

import pytest

from bottega.evaluation.drawing import (
    Frame,
    Point,
    Row,
    Series,
    heat_map,
    intervals,
    nice_ticks,
    plot,
    range_bar,
    tone_of,
)

ROWS = [
    Row("ours", 97.4, 96.1, 98.3, "97.4 %", strong=True),
    Row("nearest", 95.1, 93.0, 97.0, "95.1 %"),
    Row("majority", 10.4, 8.0, 13.0, "10.4 %"),
]
TICKS = [(float(v), str(v)) for v in (86, 90, 95, 100)]


def words_of(svg):
    return [text.text for text in ElementTree.fromstring(svg).iter("text")]


@pytest.mark.parametrize("width", [832, 342])
def test_intervals_are_drawn_to_scale_and_inside(width):
    svg = intervals(ROWS, TICKS, width=width, label="ours leads", mark=(98.9, "naive"))
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "ours leads"
    grid = {float(one.get("x1")) for one in root.iter("line") if one.get("class") == "grid"}
    left, right = min(grid), max(grid)
    dot = next(one for one in root.iter("circle") if "accent" in one.get("class"))
    assert float(dot.get("cx")) == pytest.approx(left + (97.4 - 86) / 14 * (right - left), abs=0.2)
    bar = next(one for one in root.iter("line") if one.get("class") == "bar accent")
    assert float(bar.get("x2")) - float(bar.get("x1")) == pytest.approx(2.2 / 14 * (right - left), abs=0.2)
    assert 0 <= left < right <= width
    assert {"ours", "nearest", "majority", "97.4 %", "10.4 %", "naive", "◂ off the scale"} <= set(words_of(svg))


def test_a_long_label_is_shortened_and_keeps_its_whole_in_a_title():
    svg = intervals([Row("n" * 200, 1, 0, 2, "1")], [(0.0, "0"), (2.0, "2")], width=342, label="")
    assert "n" * 200 in next(ElementTree.fromstring(svg).iter("title")).text
    assert max(len(words or "") for words in words_of(svg)) < 60


def test_hostile_labels_stay_text():
    svg = intervals([Row('<b>"&\n\u202e', 1, 0, 2, "1")], [(0.0, "0"), (2.0, "2")], width=832, label='"><script>')
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == '"><script>'
    assert '<b>"&\\n\\u202e' in words_of(svg)


def test_names_at_the_ends_of_curves_do_not_overlap_and_stay_above_the_axis():
    near = [Series(name, (Point(0, 1), Point(1, 0.0)), role) for name, role in (("a", "accent"), ("b", "counter"))]
    frame = Frame((0, 1), (0, 1), ((0, "0"), (1, "1")), ((0, "0"), (1, "1")), "x", "y", mark=(0.5, "kept"))
    root = ElementTree.fromstring(plot(near, frame, width=342, height=264, label="two curves"))
    ends = [float(one.get("y")) for one in root.iter("text") if (one.get("class") or "").startswith("end")]
    assert abs(ends[0] - ends[1]) >= 16
    assert max(ends) < 264 - 46 + 4


def test_axis_words_that_would_collide_are_left_out():
    ticks = tuple((float(i), f"epoch {i}") for i in range(30))
    frame = Frame((0, 29), (0, 1), ticks, ((0, "0"), (1, "1")))
    svg = plot([Series("", tuple(Point(i, 0.5) for i in range(30)), "accent")], frame, width=342, height=200, label="")
    shown = [words for words in words_of(svg) if words.startswith("epoch")]
    assert 3 <= len(shown) <= 6


@pytest.mark.parametrize(
    "values", [(86.3, 99.2), (0.0, 1.0), (-3.0, 4.0), (5.0, 5.0), (0.0, 0.0), (1e-9, 2e-9), (1e9, 4e9)]
)
def test_ticks_are_round_and_span_the_range(values):
    ticks = nice_ticks(*values)
    assert ticks[0] <= values[0] <= values[1] <= ticks[-1] or values[0] == values[1]
    assert 1 <= len(ticks) <= 8
    assert ticks == sorted(ticks)


def test_a_thousand_classes_make_a_small_heat_map():
    cells = {(i, (i * 7) % 1000): 1 + i % 3 for i in range(1000)} | {(i, i): 9 for i in range(1000)}
    svg = heat_map(cells, 1000, width=480, label="map")
    assert len(svg) < 40_000
    assert re.search(r'class="tone[1-4]"', svg)
    assert 'class="diagonal"' in svg


def test_tones_rise_with_the_count():
    for most in (1, 3, 4, 7, 100):
        tones = [tone_of(n, most) for n in range(1, most + 1)]
        assert tones == sorted(tones)
        assert set(tones) <= {1, 2, 3, 4}


def test_a_bar_in_a_cell_is_not_read_out():
    assert 'aria-hidden="true"' in range_bar(ROWS[0], 80, 100)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (0.0, 1e-50), (1.0, 1.0), (3e-7, 3e-7)])
def test_an_axis_of_no_length_is_given_one(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert ticks[-1] > ticks[0]
    row = Row("perfect", low, low, high, "0")
    assert "NaN" not in intervals([row], [(tick, "") for tick in ticks], width=640, label="all alike")
