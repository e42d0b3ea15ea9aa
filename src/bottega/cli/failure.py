"""What stops the command besides the user's input: the machine's limits, a missing package, a bug of ours."""

import errno
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from bottega.cli import terminal
from bottega.errors import BottegaError

__all__ = ["install_bug_report", "surroundings"]

LIMITS = {  # of the machine, met anywhere: no bug of ours, and the user can act on each
    errno.ENOSPC: ("room on the disk", "free some space, or work in another folder"),
    errno.EDQUOT: ("room within the disk quota", "free some space, or work in another folder"),
    errno.EROFS: ("a file system that can be written to", "work in another folder"),
    errno.EACCES: ("the permission to use it", "change its permissions, or work in another folder"),
    errno.ENAMETOOLONG: ("a path that the system can hold", "check what stands in the place of a path"),
    errno.EMFILE: ("fewer open files", "raise the limit: ulimit -n 4096"),
}


def surroundings(error: BaseException) -> BottegaError | None:
    """The user's error behind a failed import, a full disk or a full memory; None when it is none of these.

    Args:
        error: an ImportError, OSError or MemoryError that no step below answered for.
    """
    if isinstance(error, ModuleNotFoundError):
        from bottega.workflow.extras import missing_extra

        return missing_extra(error)
    if isinstance(error, MemoryError):
        return BottegaError(
            found="memory ran out",
            expected="room for the work at hand",
            fix="close other programs, or use fewer examples",
        )
    if isinstance(error, OSError) and error.errno in LIMITS:
        expected, fix = LIMITS[error.errno]
        where = None if error.filename is None else str(error.filename)
        return BottegaError(found=error.strerror or "no room", expected=expected, fix=fix, where=where)
    return None


def install_bug_report(words: Sequence[str], *, as_json: bool, debug: bool) -> None:
    """Let every exception that nobody foresaw end in a log file, three lines and exit status 1.

    A hook rather than a handler: nothing is caught, the interpreter itself ends the process.

    Args:
        words: of the command line, for the log.
        as_json: say it as the one JSON document on standard output.
        debug: show the traceback too.
    """

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))
        said = "".join(str(error).splitlines()[:1])
        bug = BottegaError(
            found=f"a bug of ours: {kind.__name__}: {said}".rstrip(": "),
            expected="bottega to handle this",
            fix=f"report it with the log {_write_log(words, text)}",
        )
        terminal.fail(bug.with_traceback(trace), as_json=as_json, debug=False)
        if debug:
            sys.stderr.write(text)

    sys.excepthook = report


def _write_log(words: Sequence[str], text: str) -> str:
    head = f"bottega {' '.join(map(terminal.escape, words))}\npython {sys.version}\n{sys.platform}\n\n"
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    for folder in (_cache_dir() / "logs", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(head + text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return str(folder / name)
    return "(which could not be written)"


def _cache_dir() -> Path:
    stated = os.environ.get("BOTTEGA_CACHE")
    if stated:
        return Path(stated)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bottega"
