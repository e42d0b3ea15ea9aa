"""The folder of one run: made, written to so that nothing is ever half there, and read again (docs/run-folder.md)."""

import csv
import io
import json
import os
import re
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from bottega.errors import BottegaError
from bottega.problem.spreadsheet import safe_cell
from bottega.workflow.recipe import Recipe, read_recipe

__all__ = ["RunFolder"]

RUNS = "runs"
RECIPE, HISTORY, MODEL, SMALL = "recipe.toml", "history.jsonl", "model.onnx", "model-int8.onnx"
REPORT, PREDICTIONS, RECORD = "report.html", "predictions.csv", "record.json"
CHECKPOINT = "checkpoint"


class RunFolder:
    """One run on disk.

    Args:
        path: an existing folder; `make` and `open` give one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = time.perf_counter()
        self._held: BinaryIO | None = None

    @classmethod
    def make(cls, data_name: str, name: str | None) -> "RunFolder":
        """A new folder under `runs/`: `runs/NAME`, or the next free `runs/<data name>-<n>`.

        Raises:
            BottegaError: `runs/NAME` exists, or nothing can be written here.
        """
        root = Path(RUNS)
        stem = _plain(data_name)
        try:
            root.mkdir(exist_ok=True)
            if name is not None:
                return cls(_fresh(root / name))
            number = 1
            while True:
                try:
                    (root / f"{stem}-{number}").mkdir()
                    return cls(root / f"{stem}-{number}")
                except FileExistsError:
                    number += 1
        except OSError as error:
            raise BottegaError(
                found=f"no folder can be made in {str(root)!r}: {error.strerror}",
                expected="a working directory that can be written to",
                fix="cd to a folder of yours, or free some space",
            ) from error

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "RunFolder":
        """An existing run.

        Raises:
            BottegaError: it isn't one.
        """
        folder = Path(path)
        if not (folder / RECIPE).is_file():
            inside = sorted(p.parent.name for p in Path(RUNS).glob(f"*/{RECIPE}"))[:5]
            raise BottegaError(
                found=f"no run in {str(path)!r}: it has no {RECIPE}",
                expected="the folder of a run",
                fix=f"one of {', '.join(f'{RUNS}/{name}' for name in inside)}" if inside else "bottega train FOLDER",
            )
        return cls(folder)

    def hold(self) -> "RunFolder":
        """Keep other processes out until `close`, or until this one ends, however it ends.

        Raises:
            BottegaError: another process is at work in this folder.
        """
        try:
            import fcntl
        except ImportError:  # Windows has no such locks: there the user has to see to it
            return self
        try:
            self._held = self.file(HISTORY).open("ab")  # the one file that is never replaced; the lock goes with it
        except OSError as error:
            raise self._no_room(HISTORY, "room", error) from error
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._held.close()
            raise BottegaError(
                found=f"another process is training in {str(self.path)!r}",
                expected="one process for one run",
                fix="wait until it has ended, or begin a run of another --name",
            ) from error
        return self

    def close(self) -> None:
        """Let other processes in again before this one ends."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def tidy(self) -> None:
        """Remove what a killed process of this run left half written; for a run that is about to go on."""
        for name in (RECIPE, MODEL, SMALL, REPORT, PREDICTIONS, RECORD):
            for path in self.path.glob(f".{name}-*"):
                path.unlink(missing_ok=True)

    def file(self, name: str) -> Path:
        """The path of a file in it, there or not."""
        return self.path / name

    def part(self, number: int, name: str) -> "RunFolder":
        """The folder inside it for one of several targets; made where it isn't there."""
        path = self.path / f"{number}-{_plain(name)}"
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise self._no_room(path.name, "room", error) from error
        return RunFolder(path)

    def parts(self) -> list["RunFolder"]:
        """The runs inside it, of several targets; none of any other run."""
        return [RunFolder(path.parent) for path in sorted(self.path.glob(f"*/{RECIPE}"))]

    def recipe(self) -> Recipe:
        """The recipe that the run was begun with."""
        return read_recipe(self.file(RECIPE))

    def write(self, name: str, data: bytes | str) -> Path:
        """Write a file whole: beside its place, flushed to the disk, then moved there.

        Raises:
            BottegaError: the disk is full or the folder may not be written to; what stood there before stays.
        """
        path = self.file(name)
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        try:
            handle, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=self.path)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(raw)
                    file.flush()
                    os.fsync(file.fileno())
                os.chmod(temporary, 0o644)
                os.replace(temporary, path)
            finally:
                Path(temporary).unlink(missing_ok=True)  # still there only where something stopped us
        except OSError as error:
            raise self._no_room(name, f"{len(raw):,} bytes of room", error) from error
        return path

    def tell(self, event: str, **facts: Any) -> None:
        """Append one line to the history: what happened, and how many seconds into this process."""
        line = json.dumps({"event": event, "seconds": round(time.perf_counter() - self._start, 3), **facts})
        try:
            with self.file(HISTORY).open("ab+") as file:
                if file.seek(0, os.SEEK_END):
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":  # a kill tore the line before
                        file.write(b"\n")
                file.write(line.encode() + b"\n")
        except OSError as error:
            raise self._no_room(HISTORY, "room", error) from error

    def _no_room(self, name: str, wanted: str, error: OSError) -> BottegaError:
        return BottegaError(
            found=f"{name} could not be written: {error.strerror}",
            expected=f"{wanted} in {str(self.path)!r}",
            fix=f"free some space, then: bottega train --resume {self.path}",
        )

    def decisions(self) -> dict[str, Any]:
        """What an earlier process of this run decided under `--time`, so that going on decides the same."""
        found: dict[str, Any] = {}
        path = self.file(HISTORY)
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            try:
                record = json.loads(line)
            except ValueError:  # torn by a kill
                continue
            if isinstance(record, dict) and record.get("event") == "decided":
                found[str(record["what"])] = record["value"]
        return found

    def write_predictions(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write `predictions.csv`, its lines in the order of their names.

        Args:
            head: the names of the columns.
            rows: name, label, answer and more of each test example.
        """
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow(safe_cell(cell) for cell in head)
        for row in sorted(rows, key=lambda row: row[0]):
            table.writerow(safe_cell(cell) for cell in row)
        self.write(PREDICTIONS, text.getvalue())


def _plain(name: str) -> str:
    """A name that any file system takes."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or "data"


def _fresh(path: Path) -> Path:
    try:
        path.mkdir()
    except FileExistsError as error:
        if path.is_dir() and not any(path.iterdir()):  # an earlier process was stopped before it began
            return path
        raise BottegaError(
            found=f"a run named {path.name!r} is there already",
            expected="a new name",
            fix=f"another --name, or: bottega train --resume {path}",
        ) from error
    return path
