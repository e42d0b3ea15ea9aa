"""`check`: does a model file answer here as it did when it was made?"""

import os
from typing import TYPE_CHECKING

from bottega.problem.records import CheckRecord

if TYPE_CHECKING:
    from bottega.shipping.predictor import Model

__all__ = ["check"]


def check(model: "Model | str | os.PathLike[str]") -> CheckRecord:
    """Replay the golden examples that the file carries.

    Args:
        model: a loaded model, or the path of its file.
    Returns:
        CheckRecord; `passed` is false where an answer differs by more than the file's own tolerance.
    Raises:
        BottegaError: the file cannot be opened, or the engine cannot run it.
    """
    from bottega.shipping.check import replay
    from bottega.shipping.predictor import Model, load

    return replay(model if isinstance(model, Model) else load(model))
