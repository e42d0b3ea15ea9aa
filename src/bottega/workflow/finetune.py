"""The pretrained network as an architecture that learns on, beside those that start from nothing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.picture_view import View
from bottega.models.lite import lower_shape
from bottega.models.pretrained import Pretrained, find_weights
from bottega.training.settings import Settings
from bottega.workflow.network_options import FINETUNE
from bottega.workflow.pictures import Frame, KeptBlocks

__all__ = ["FineTuned", "finetune_frame"]

BODY = "efficientnet_lite0"
Pixels = npt.NDArray[Any]
VIEWS = (  # whole, mirrored, and the four corners: what a picture shows doesn't depend on any of it
    View(),
    View(flip=True),
    View(0.8, at=(0.0, 0.0)),
    View(0.8, flip=True, at=(0.0, 1.0)),
    View(0.8, flip=True, at=(1.0, 0.0)),
    View(0.8, at=(1.0, 1.0)),
)
SIDES = (224, 160, 128)  # pixels: the first is the one that the weights were made for
ENLARGED = 1.25  # times: strokes and textures of small pictures come nearer to the size that the weights know
FEWEST_VIEWS = 2
MOST_BYTES = 800_000_000  # of what is kept of all pictures
RATE = 1e-3
EPOCHS = {"fast": 6, "accurate": 8}
BATCH = 32
FEWEST_STEPS, MOST_EPOCHS = 200, 20  # few pictures are seen more often: upper blocks need some way to go


def finetune_frame(n_pictures: int, largest: float) -> tuple[Frame, int]:
    """The square that the network sees, and how many views of each picture: as much as can be kept of so many.

    Args:
        largest: of a picture's two sides, pixels; the median over the pictures.

    Example:
        >>> finetune_frame(2_000, 512), finetune_frame(5_000, 512), finetune_frame(2_000, 128)[0].side
        ((Frame(side=224, n_channels=3), 6), (Frame(side=224, n_channels=3), 2), 160)
    """
    enough = [side for side in SIDES if side >= min(ENLARGED * largest, SIDES[0])]
    for side in SIDES[len(enough) - 1 :]:
        n_views = MOST_BYTES // (2 * n_pictures * math.prod(lower_shape(BODY, side)))
        if n_views >= FEWEST_VIEWS:
            break
    return Frame(side, 3), max(FEWEST_VIEWS, min(n_views, len(VIEWS)))


@dataclass(frozen=True)
class FineTuned:
    """EfficientNet-Lite whose upper blocks learn on, under a new last layer.

    Attributes:
        input: shape of one picture, (3, side, side).
        weights: where it starts from.
        epochs: passes, unless others are stated.
        n_views: of each picture that training draws from.
    """

    input: tuple[int, ...]
    weights: Pretrained
    epochs: int
    n_views: int = len(VIEWS)
    name: str = FINETUNE
    plan: None = None
    scale_words = "(x - 127) / 128, as the published weights expect"

    @classmethod
    def for_frame(cls, frame: Frame, n_views: int, preset: str) -> "FineTuned":
        """As it suits pictures of this frame."""
        return cls(frame.shape, find_weights(BODY), EPOCHS[preset], n_views)

    @property
    def kept(self) -> KeptBlocks:
        """The blocks that don't learn."""
        return KeptBlocks(self.weights, self.input[1], VIEWS[: self.n_views])

    def suited(self, settings: Settings, n_train: int) -> Settings:
        """What suits weights that know much already: few epochs of small steps, and labels not believed to the end."""
        epochs = max(self.epochs, min(MOST_EPOCHS, math.ceil(FEWEST_STEPS * BATCH / n_train)))
        return replace(
            settings,
            epochs=epochs,
            patience=epochs,
            batch_size=BATCH,
            learning_rate=RATE,
            label_smoothing=0.1,
            average=0.99,
        )

    def scaled(self, train: Any, val: Any) -> Any:
        """As they are: the graph below has scaled the pictures."""
        from bottega.training.examples import Data

        mean, scale = (np.full((1, 1, 1), value, np.float32) for value in (0.0, 1.0))
        return Data(train, val, mean, scale, has_views=True)

    def build(self, n_classes: int, seed: int) -> Any:  # noqa: ARG002
        """As published, under a layer of zeros."""
        from bottega.models.finetune import finetuned

        return finetuned(self.weights.name, self.weights.path, n_classes)

    def begin(self, module: Any, data: Any, settings: Settings) -> None:
        """Fit the last layer on what the network sees before it moves."""
        from bottega.training.finetune import start_head

        start_head(module, data, settings)

    def graph(self, module: Any, arrays: Mapping[str, Any], mean: Pixels, scale: Pixels) -> bytes:  # noqa: ARG002
        """Its layers as operators."""
        from bottega.shipping.lite import finetuned_graph

        return finetuned_graph(self.weights.name, self.input[1], arrays)
