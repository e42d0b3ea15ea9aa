"""What the verbs share on the terminal: safe text, progress with the time left, the JSON document, the error."""

import json
import sys
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from bottega.errors import BottegaError
from bottega.problem.records import Progress, to_json

__all__ = [
    "WIDTH",
    "count",
    "duration",
    "error_lines",
    "escape",
    "fail",
    "fold",
    "json_text",
    "live",
    "say",
    "say_json",
]

WIDTH = 80  # columns; what people see is written for the narrowest usual terminal

# For terminals that cannot show them; the same meaning in one column each, so that columns stay aligned.
ASCII = str.maketrans("●○─│·–—≥≤→×…◂▸’‘“”\u2009\u202f\xa0", "oo-|---><>x~<>''\"\"   ")


def escape(text: object) -> str:
    r"""Show control, bidirectional and other invisible characters by code, so that no name can redraw the screen.

    Args:
        text: anything that came from outside: a path, a label, a line of a file.
    Returns:
        One line: `\n` for a line break, `\u202e` for a right-to-left override; letters of every alphabet as they are.
    Example:
        >>> escape("a\nb")
        'a\\nb'
    """
    return "".join(_visible(char) for char in str(text))


def _visible(char: str) -> str:
    if char in "\u200c\u200d":  # joiners are spelling in Persian, Hindi and others
        return char
    if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
        return char.encode("unicode_escape").decode("ascii")
    return char


def say(*lines: str, stream: IO[str] | None = None) -> None:
    """Print lines that are already escaped, in ASCII where the stream's encoding lacks the drawing characters."""
    stream = sys.stdout if stream is None else stream
    for line in lines:
        stream.write(_encodable(line, getattr(stream, "encoding", None) or "ascii") + "\n")
    stream.flush()


def _encodable(line: str, encoding: str) -> str:
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return line.translate(ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return line


def json_text(record: Any) -> str:
    """One JSON document from a record, in ASCII: it is the same on every terminal, and any file name survives it."""
    return json.dumps(to_json(record), indent=2, allow_nan=False)


def say_json(record: Any) -> None:
    """Print the one JSON document of a `--json` run."""
    say(json_text(record))


def fold(label: str, text: str, *, width: int = WIDTH, max_lines: int = 3) -> list[str]:
    """Lay out one labelled remark, as in `Look first   9 label conflicts`, wrapped under itself."""
    import textwrap

    indent = " " * 13
    lines = textwrap.wrap(text, width - len(indent), max_lines=max_lines, placeholder=" …", break_on_hyphens=False)
    return [f"{label if i == 0 else '':<13}{line}" for i, line in enumerate(lines or [""])]


def error_lines(error: BottegaError) -> list[str]:
    """The three lines of an error: what was found (and where), what was expected, what to do."""
    found = f"{error.found} ({error.where})" if error.where else error.found
    return [f"found:    {escape(found)}", f"expected: {escape(error.expected)}", f"fix:      {escape(error.fix)}"]


def fail(error: BottegaError, *, as_json: bool, debug: bool) -> None:
    """Say why the work stopped: three lines on standard error, or the one JSON document on standard output."""
    if debug:
        import traceback

        traceback.print_exception(error)
    if as_json:
        say_json(error.to_json())
    else:
        say(*error_lines(error), stream=sys.stderr)


def duration(seconds: float) -> str:
    """A time in words, as short as its size allows.

    Example:
        >>> duration(0.42), duration(12.3), duration(130), duration(4000)
        ('0.4 s', '12 s', '2 min 10 s', '1 h 7 min')
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"


def count(n: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun.

    Example:
        >>> count(1, "picture"), count(2488, "picture")
        ('1 picture', '2,488 pictures')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


@contextmanager
def live(*, quiet: bool = False) -> Iterator[Progress]:
    """Give a progress callable: a live line with the time left on a terminal, else one plain line for each step.

    Everything goes to standard error, so that standard output holds the answer alone. `progress` may be called from
    several threads.

    Args:
        quiet: say nothing at all.
    """
    if quiet:
        yield _silence
    elif sys.stderr.isatty():
        with _bars() as progress:
            yield progress
    else:
        yield _Lines()


def _silence(_step: str, _done: int, _total: int | None) -> None:
    """What a quiet run says."""


NEWS = " · "  # what follows it in a step's words changes as the work goes on; what stands before names the step


class _Lines:
    """One line when a step begins and one every ten seconds: readable in a log, never a screen full."""

    every_seconds = 10.0

    def __init__(self) -> None:
        self.step = ""
        self.started = self.said = 0.0

    def __call__(self, step: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if step.partition(NEWS)[0] != self.step:
            self.step, self.started, self.said = step.partition(NEWS)[0], now, now
            say(f"{escape(step)} …", stream=sys.stderr)
        elif now - self.said >= self.every_seconds:
            self.said = now
            left = f", {duration((now - self.started) * (total - done) / done)} left" if total and done else ""
            say(f"{escape(step)}: {done:,} of {total or '?':,}{left}", stream=sys.stderr)


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console  # a tenth of a second: paid only by long work on a terminal
    from rich.markup import escape as escape_markup
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)
        current = ""

        def progress(step: str, done: int, total: int | None) -> None:
            nonlocal current
            if step.partition(NEWS)[0] != current:
                current = step.partition(NEWS)[0]
                bars.reset(task, total=total)
            bars.update(task, description=escape_markup(escape(step)), completed=done, total=total)

        yield progress
