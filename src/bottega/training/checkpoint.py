"""A training on disk: one file, written whole or not at all, with no code in it."""

import json
import os
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError

__all__ = ["Checkpoint"]

FORMAT = 1
FACTS = "facts"  # the one entry that is no tensor: JSON as bytes
Arrays = Mapping[str, NDArray[Any]]


@dataclass
class Checkpoint:
    """Where a training is kept, and how often.

    Only one file is ever kept: it holds the last complete part and the best weights so far. A training that goes on
    from it ends with the same bytes as one that was never stopped.

    Args:
        path: of the file; its folder exists.
        every_seconds: a newer state waits until the last one is as old as this; 0 to write each.
    """

    path: Path
    every_seconds: float = 30.0
    _written: float = -float("inf")

    def is_due(self) -> bool:
        """Whether the file is old enough to be replaced."""
        return time.monotonic() - self._written >= self.every_seconds

    def save(self, arrays: Arrays, facts: Mapping[str, Any]) -> None:
        """Replace the file.

        Raises:
            BottegaError: it can't be written; the one before is untouched.
        """
        temporary = self.path.with_name(self.path.name + ".tmp")  # one name: what a killed process left is overwritten
        text = json.dumps({**facts, "format": FORMAT}).encode()
        try:
            with temporary.open("wb") as file:
                np.savez(file, allow_pickle=False, **{FACTS: np.frombuffer(text, np.uint8)}, **arrays)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise BottegaError(
                found=f"the checkpoint can't be written: {error.strerror or error}",
                expected="space for a copy of the network, its optimiser's memory and its best weights",
                fix="free some space, then resume: the checkpoint before this one is whole",
                where=self.path.name,
            ) from error
        self._written = time.monotonic()

    def load(self) -> tuple[Arrays, Mapping[str, Any]] | None:
        """The tensors and facts that were saved last; None if nothing was.

        Raises:
            BottegaError: the file is damaged or of another version.
        """
        if not self.path.exists():
            return None
        try:
            with self.path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            facts = json.loads(arrays.pop(FACTS).tobytes())
            version = facts["format"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise BottegaError(
                found=f"a checkpoint that can't be read: {error}",
                expected="the file as bottega wrote it",
                fix=f"delete {self.path.name} to train from the start",
                where=self.path.name,
            ) from error
        if version != FORMAT:
            raise BottegaError(
                found=f"a checkpoint of format {version!r}",
                expected=f"format {FORMAT}",
                fix="resume with the version of bottega that wrote it, or train from the start",
                where=self.path.name,
            )
        return arrays, facts
