"""The pretrained network as an architecture that learns on, beside those that start from nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.profile import ImageSet
from bottega.models.pretrained import Pretrained, find_weights
from bottega.training.settings import Settings
from bottega.workflow.network_options import FINETUNE
from bottega.workflow.pictures import Frame

__all__ = ["FineTuned", "finetune_frame"]

BODY = "efficientnet_lite0"
Pixels = npt.NDArray[Any]
LEVELS = (127.0, 128.0)  # mean and scale of a pixel's levels, as the published weights expect them
LEAST_SIDE, STEP = 96, 32  # pixels: the network halves a side five times
ENLARGED = 1.5  # times: strokes and textures of small pictures come nearer to the size that the weights know
MOST_SIDE = {"fast": 128, "accurate": 160}  # pixels; time grows with the square
RATE = 2e-3  # of the last layer; the body has a fifth of it
EPOCHS = {"fast": 3, "accurate": 3}
BATCH = 32


def finetune_frame(images: ImageSet, preset: str) -> Frame:
    """The square that the network sees: half as large again as the pictures, as far as the time allows."""
    largest = ENLARGED * float(np.median(images.sizes.max(1)))
    side = min(max(LEAST_SIDE, STEP * round(largest / STEP)), MOST_SIDE[preset])
    return Frame(side, 3)


@dataclass(frozen=True)
class FineTuned:
    """EfficientNet-Lite under a new last layer.

    Attributes:
        input: shape of one picture, (3, side, side).
        weights: where it starts from.
        epochs: passes, unless others are stated.
    """

    input: tuple[int, ...]
    weights: Pretrained
    epochs: int
    name: str = FINETUNE
    plan: None = None
    scale_words = "(x - 127) / 128, as the published weights expect"

    @classmethod
    def for_frame(cls, frame: Frame, preset: str) -> "FineTuned":
        """As it suits pictures of this frame."""
        return cls(frame.shape, find_weights(BODY), EPOCHS[preset])

    def suited(self, settings: Settings) -> Settings:
        """What suits weights that know much already: few epochs of small steps, and labels not believed to the end."""
        epochs = self.epochs
        return replace(
            settings,
            epochs=epochs,
            patience=epochs,
            batch_size=BATCH,
            learning_rate=RATE,
            label_smoothing=0.1,
            average=0.98,
        )

    def scaled(self, train: Any, val: Any) -> Any:
        """The examples with the constants that the published weights expect."""
        from bottega.training.examples import Data

        mean, scale = (np.full((3, 1, 1), level, np.float32) for level in LEVELS)
        return Data(train, val, mean, scale)

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
        from bottega.shipping.lite import FinetunedHead, finetuned_graph

        body = {name.removeprefix("body."): array for name, array in arrays.items() if name.startswith("body.")}
        head = FinetunedHead(arrays["mean"], arrays["scale"], arrays["answer.weight"], arrays["answer.bias"])
        return finetuned_graph(self.weights.name, self.input[1], body, head, LEVELS)
