"""Numbers and names in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.evaluation import wording
from bottega.problem.records import Score


@pytest.mark.parametrize(
    ("share", "low", "high", "said"),
    [
        (0.974, 0.961, 0.983, "97.4\u202f%"),
        (0.974, 0.87, 0.99, "97\u202f%"),
        (0.9741, 0.9731, 0.9751, "97.41\u202f%"),
        (0.9996, 0.90, 1.0, "99.96\u202f%"),  # less than all isn't called all
        (0.0004, 0.0, 0.09, "0.04\u202f%"),
        (1.0, 0.93, 1.0, "100\u202f%"),
        (1 - 1e-16, 0.93, 1.0, "100\u202f%"),
        (0.0, 0.0, 0.1, "0\u202f%"),
        (-0.02, -0.04, 0.0, "−2.0\u202f%"),
        (float("nan"), 0, 1, "unknown"),
    ],
)
def test_a_share_has_the_digits_that_its_interval_earns(share, low, high, said):
    assert wording.percent(share, low, high) == said


def test_an_interval_says_its_unit_once():
    assert wording.score_range("accuracy", Score(539, 0.974, 0.961, 0.983)) == "96.1 … 98.3\u202f%"
    assert wording.percent_range(0.93, 1.0) == "93.0 … 100\u202f%"
    assert wording.score_range("log_loss", Score(539, 0.0812, 0.06, 0.10, False)) == "0.060 … 0.100"
    assert wording.score_text("accuracy_without_twins", Score(539, 0.974, 0.961, 0.983)) == "97.4\u202f%"


def test_a_difference_is_in_points():
    assert wording.points(0.023, 0.009, 0.038) == "2.3 points"
    assert wording.points(-0.001, -0.01, 0.008) == "−0.1 points"
    assert wording.points(0.0100, 0.0, 0.02) == "1.0 point"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (0.012, "12 ms"),
        (0.41, "0.4 s"),
        (9.96, "10 s"),
        (59.7, "1 min"),
        (130, "2 min 10 s"),
        (3600, "1 h"),
        (3905, "1 h 5 min"),
        (183600, "2 d 3 h"),
        (float("inf"), "unknown"),
        (-1, "unknown"),
    ],
)
def test_a_time_is_in_words(seconds, said):
    assert wording.duration(seconds) == said


def test_counts():
    assert wording.count_of(14, 539) == "fourteen of 539"
    assert wording.count_of(0, 539) == "none of 539"
    assert wording.count_of(2000, 12000) == "2,000 of 12,000"
    assert wording.plural(1, "picture") == "1 picture"
    assert wording.plural(1797, "picture") == "1,797 pictures"
    assert wording.plural(2, "class", "classes", words=True) == "two classes"
    assert wording.joined(["a", "b", "c"]) == "a, b and c"
    assert wording.file_size(13_600_000) == "13.6 MB"
    assert wording.file_size(1) == "1 byte"


def test_what_could_move_or_hide_text_is_written_out():
    assert wording.visible("a\nb\tc") == "a\\nb\\tc"
    assert wording.visible("\x1b[2J") == "\\x1b[2J"
    assert wording.visible("photo\u202egpj.exe") == "photo\\u202egpj.exe"
    assert wording.visible("byte \udcff") == "byte \\xff"
    assert wording.visible("می\u200cخواهم שלום 👩\u200d🔬") == "می\u200cخواهم שלום 👩\u200d🔬"


@given(st.text(st.characters(), max_size=60))  # lone surrogates too
def test_any_name_can_be_written_and_keeps_to_its_line(name):
    shown = wording.visible(name)
    shown.encode("utf-8")
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)
    assert wording.visible(shown) == shown


@given(st.text(max_size=60), st.integers(4, 40))
def test_a_shortened_name_fits_and_keeps_its_ends(name, columns):
    short = wording.shortened(name, columns)
    assert wording.text_width(short) <= columns
    assert short == name or (short[0] in (name[0], "…") and "…" in short)


def test_a_shortened_path_keeps_its_suffix():
    assert wording.shortened("holiday/album/of/2019/photo-0001.jpg", 20) == "holiday/a…o-0001.jpg"
