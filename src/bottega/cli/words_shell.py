"""The prompt of `bottega words VECTORS`: a question a line, with history and completion."""

import os
import sys
from pathlib import Path
from typing import Any

from bottega.cli import terminal
from bottega.cli.words_lines import caret_lines, lines_of
from bottega.errors import BottegaError

__all__ = ["prompt"]

SIGN = "words> "
HISTORY_LENGTH = 1000


def prompt(words: Any, n: int) -> int:
    """Answer each line until the end of the input; from a pipe, the lines are read without a prompt.

    Args:
        words: `workflow.words.Words`.
        n: answers of each rule.
    Returns:
        Exit status: 2 where a line from a pipe had no answer. At a prompt a slip of the finger is none of its business.
    """
    is_person = sys.stdin.isatty()
    if is_person:
        facts = f"{words.file.n_words:,} words of {words.file.name}"
        terminal.say(f'{terminal.escape(facts)}; ask as in "Rome - Italy + France", end with Ctrl-D')
    history = _begin(words) if is_person else None
    n_failed = 0
    try:
        while (line := _read(is_person)) is not None:
            if line.strip():
                n_failed += not _answer(words, line, n)
    finally:
        if history is not None:
            _keep(history)
    return 2 if n_failed and not is_person else 0


def _read(is_person: bool) -> str | None:
    try:
        return input(SIGN if is_person else "")
    except EOFError:
        if is_person:
            terminal.say("")
        return None


def _answer(words: Any, line: str, n: int) -> bool:
    """Whether there was an answer."""
    from bottega.workflow.words import ExpressionError

    try:
        record = words.near(line, k=n) if _is_one_word(line) else words.ask(line, k=n)
    except BottegaError as error:  # the next line may be better
        if isinstance(error, ExpressionError):
            terminal.say(*caret_lines(error.expression, error.column), stream=sys.stderr)
        terminal.fail(error, as_json=False, debug=False)
        return False
    terminal.say(*lines_of(record), "")
    return True


def _is_one_word(line: str) -> bool:
    return len(line.split()) == 1 and not set(line) & set('"()*')


def _begin(words: Any) -> Path | None:
    """History and completion, where Python has readline."""
    try:
        import readline
    except ImportError:
        return None
    found: list[str] = []

    def complete(start: str, state: int) -> str | None:
        if state == 0:
            found[:] = words.complete(start) if start else []
        return found[state] if state < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(' ()*"')
    readline.parse_and_bind("tab: complete")
    readline.set_history_length(HISTORY_LENGTH)
    stated = os.environ.get("BOTTEGA_CACHE") or Path.home() / ".cache" / "bottega"
    history = Path(stated) / "words_history"
    if history.is_file():
        readline.read_history_file(history)
    return history


def _keep(history: Path) -> None:
    import readline

    try:
        history.parent.mkdir(parents=True, exist_ok=True)
        readline.write_history_file(history)
    except OSError:
        return  # a history that cannot be kept is no reason to complain
