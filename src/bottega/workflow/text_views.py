"""Texts as candidates see them; sentence features are made when the first candidate asks for them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.text_codes import CodedTexts
from bottega.workflow.text_task import BOTH, CODES, PIECES, SENTENCE

__all__ = ["TextViews"]

Floats = npt.NDArray[np.float32]


class TextViews(Mapping[str, Any]):
    """The views of `Material`, each text one row.

    Args:
        pieces: cuts all texts for the sentence network; None without it.
        describe: makes the sentence features (N, D) of all texts; None without the network.
        beside: (N, B) numbers of the columns beside the texts; None where there are none.
    """

    def __init__(
        self,
        codes: CodedTexts,
        pieces: Callable[[], CodedTexts] | None = None,
        describe: Callable[[], Floats] | None = None,
        beside: Floats | None = None,
    ) -> None:
        self._ready: dict[str, Any] = {CODES: codes}
        self._pieces = pieces
        self._describe = describe
        self._beside = beside
        self.described: Floats | None = None  # the sentence features, where a candidate has asked for them

    def __getitem__(self, name: str) -> Any:
        if name == PIECES and PIECES not in self._ready and self._pieces is not None:
            self._ready[PIECES] = self._pieces()
        if name in (SENTENCE, BOTH) and name in self and name not in self._ready:
            features = self._features()
            self._ready |= {SENTENCE: features, BOTH: self._ready[CODES].beside(features)}
        return self._ready[name]

    def __iter__(self) -> Iterator[str]:
        yield CODES
        if self._pieces is not None:
            yield PIECES
        if self._describe is not None or self._beside is not None:
            yield from (SENTENCE, BOTH)

    def __contains__(self, name: object) -> bool:
        return any(one == name for one in iter(self))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _features(self) -> Floats:
        parts = [] if self._beside is None else [self._beside]
        if self._describe is not None:
            self.described = self._describe()
            parts.insert(0, self.described)
        return parts[0] if len(parts) == 1 else np.hstack(parts)
