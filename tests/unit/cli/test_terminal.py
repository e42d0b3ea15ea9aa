"""What goes to the terminal: safe, narrow, and in ASCII where it must be."""

import io
import os
import re
import subprocess
import sys

import pytest

from bottega.cli.axis import Estimate, axis_lines, number
from bottega.cli.terminal import error_lines, escape, fold, json_text, live, say
from bottega.errors import BottegaError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本 שלום", "plain é 日本 שלום"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("photo\u202egpj.exe", r"photo\u202egpj.exe"),
        ("\u2066x\u2069\u200f\ufeff", r"\u2066x\u2069\u200f\ufeff"),
        ("bad\udcffbytes", r"bad\udcffbytes"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u2028", r"\u2028"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


def said(*lines: str, encoding: str) -> bytes:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    say(*lines, stream=stream)
    return stream.buffer.getvalue()  # type: ignore[attr-defined]


def test_drawing_falls_back_to_one_ascii_letter_each() -> None:
    assert said("97.4 ──●── 96.1 … 98.3", encoding="ascii") == b"97.4 --o-- 96.1 ~ 98.3\n"
    assert said("──●──", encoding="utf-8") == "──●──\n".encode()
    assert said("日", encoding="latin-1") == b"\\u65e5\n"


def test_an_error_is_three_lines_whatever_is_in_it() -> None:
    error = BottegaError(found="a\nb", expected="c\u202e", fix="d", where="x\ny")
    assert error_lines(error) == [r"found:    a\nb (x\ny)", r"expected: c\u202e", "fix:      d"]


def test_json_is_ascii_and_strict() -> None:
    assert json_text({"é": float("nan"), "p": "\udcff"}) == '{\n  "\\u00e9": null,\n  "p": "\\udcff"\n}'


def test_fold_wraps_under_itself() -> None:
    lines = fold("Look first", "word " * 40, max_lines=2)
    assert len(lines) == 2
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].startswith("Look first   word")
    assert lines[1].startswith(" " * 13 + "word")
    assert lines[1].endswith("…")


def test_progress_in_a_log_is_one_line_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    with live() as progress:
        for step in ("reading", "training"):
            for done in range(100):
                progress(step, done, 100)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "reading …\ntraining …\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_on_a_terminal_is_one_live_line() -> None:
    import pty

    code = (
        "import time\nfrom bottega.cli.terminal import live\nwith live() as progress:\n"
        "    for done in range(5):\n        progress('reading [b]x[/b]\\x1b', done, 5); time.sleep(.05)\n"
        "print('the answer')"
    )
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    assert process.communicate()[0] == b"the answer\n"
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "reading [b]x[/b]\\x1b" in shown  # neither markup nor an escape of the data's own
    assert re.search(r"\d/5", shown)
    assert shown.rstrip().endswith("\x1b[2K")  # the line is gone when the answer comes


def test_quiet_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with live(quiet=True) as progress:
        progress("reading", 1, None)
    assert capsys.readouterr() == ("", "")


ROWS = [
    Estimate("network", 0.974, 0.961, 0.983, "ships"),
    Estimate("nearest neighbour with a name that is too long", 0.951, 0.933, 0.967, "worse"),
    Estimate("majority", 0.1, 0.08, 0.13),
]


def test_axis() -> None:
    lines = axis_lines(ROWS, metric="accuracy", name_width=20, axis_width=24)
    assert re.fullmatch(r"  network                97\.4 +─+●─+ *  ships", lines[0])
    assert lines[1].startswith("  nearest neighbour w…   95.1 ")
    assert lines[2].startswith("  majority               10.0  ◂")
    dot = [line.index("●") for line in lines[:2]]
    assert dot[0] > dot[1]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("value", [0.5, 0.0, 1.0, float("nan")])
def test_axis_of_one_estimate_without_width(value: float) -> None:
    (line,) = axis_lines([Estimate("a", value, value, value)], metric="log_loss", name_width=5, axis_width=10)
    assert line.startswith("  a ")


@pytest.mark.parametrize(
    ("value", "metric", "width", "text"),
    [
        (0.9744, "accuracy", 0.022, "97.4"),
        (0.9744, "accuracy", 0.14, "97"),
        (0.9744, "roc_auc", 0.022, "0.974"),
        (0.123456, "log_loss", 0.00002, "0.1235"),
        (float("nan"), "accuracy", float("nan"), "?"),
    ],
)
def test_numbers_have_the_digits_they_earn(value: float, metric: str, width: float, text: str) -> None:
    assert number(value, metric, width) == text
