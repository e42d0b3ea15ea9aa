"""Which network a run trains, the pretrained one or one of its own: settled before the recipe is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.profile import ImageSet
from bottega.errors import BottegaError
from bottega.problem.network import network_to_toml, read_network
from bottega.workflow.finetune import FineTuned, finetune_frame
from bottega.workflow.network_options import FINETUNE, is_own_network
from bottega.workflow.options import TrainOptions
from bottega.workflow.own_network import Architecture, UserClass, architecture_of, stated_shape
from bottega.workflow.pictures import PREPARED, SMALL_SIDE, Frame, KeptBlocks, PictureViews, frame_for

__all__ = ["OwnChoice", "choose_network", "own_names"]

WORTH_LEARNING_ON = 1000  # pictures: fewer are judged by folds of folds, each of which would be a training
ANY_PICTURE = (3, 64, 64)  # to read a plan whose name is wanted


@dataclass(frozen=True)
class OwnChoice:
    """A network of one's own, and the square that it sees.

    Attributes:
        device: where it is trained.
        beside: whether the frozen pretrained network is tried too.
    """

    architecture: Architecture
    frame: Frame
    device: str
    beside: bool = False

    def facts(self) -> dict[str, Any]:
        """For the recipe: whoever has them makes the same choice."""
        plan = self.architecture.plan
        facts: dict[str, Any] = {"input": [*self.frame.shape], "device": self.device, "beside": self.beside}
        if isinstance(self.architecture, FineTuned):
            facts["views"] = self.architecture.n_views
        if plan is not None:
            facts["plan"] = network_to_toml(plan)
        return facts

    @property
    def kept(self) -> KeptBlocks | None:
        """The blocks of a pretrained network that stay, where it learns on."""
        return self.architecture.kept if isinstance(self.architecture, FineTuned) else None

    def examples(self, views: PictureViews) -> npt.NDArray[Any]:
        """(N, ...) what the network learns from: pixels, or what the blocks that stay make of them."""
        return views.pixels(self.frame) if self.kept is None else views.states(self.kept)

    def preparation(self) -> dict[str, str]:
        """For the recipe and the report: what happens to a raw picture, in words."""
        side, colours = self.frame.side, "grey" if self.frame.n_channels == 1 else "RGB"
        if self.beside:
            return {
                **PREPARED,
                FINETUNE: f"as above, {side} x {side}; half precision after the blocks that stay",
            }
        return {
            "input": "uint8 [N, H, W, 3], RGB, any height and width",
            "resize": f"antialiased linear, half-pixel centres, squeezed to {side} x {side}, whole levels, {colours}",
            "scale": self.architecture.scale_words,
        }


def choose_network(
    options: TrainOptions, images: ImageSet, begun: Mapping[str, Any] | None, source: Any = None
) -> OwnChoice | None:
    """Settle what is trained; None for the pretrained network.

    Args:
        begun: the training's facts in the recipe of a run that goes on.
        source: the user's own class or module, where `options.network` can't name it.
    Raises:
        BottegaError: the network that was asked for cannot be had, or not for these pictures.
    """
    if begun is not None:
        if "input" not in begun:
            return None
        n_channels, side, _ = begun["input"]
        frame = Frame(side, n_channels)
        beside = bool(begun.get("beside", False))
        device = str(begun["device"])
        if beside:
            return OwnChoice(FineTuned.for_frame(frame, _begun_views(begun), options.preset), frame, device, beside)
        return OwnChoice(_architecture(options.network, options, frame, begun.get("plan"), source), frame, device)
    kind = _kind(options, images)
    if kind is None:
        return None
    if kind == FINETUNE:
        _require_no_augmentation(options)
        frame, n_views = finetune_frame(len(images), float(np.median(images.sizes.max(1))))
        return OwnChoice(
            FineTuned.for_frame(frame, n_views, options.preset), frame, _device(options.device), beside=True
        )
    shape = stated_shape(options.network)
    frame = frame_for(images, options.preset) if shape is None else Frame(shape[1], shape[0])
    return OwnChoice(_architecture(kind, options, frame, None, source), frame, _device(options.device))


def own_names(options: TrainOptions) -> list[str]:
    """Names that a candidate of one's own may come to have, before the data were seen."""
    network = options.network
    if network == "auto":
        return ["cnn", FINETUNE] if options.preset == "accurate" else ["cnn"]
    if not is_own_network(network):
        return []
    if network.endswith(".toml"):
        return [read_network(network, None if stated_shape(network) else ANY_PICTURE).name]
    return [network.rpartition(":")[2]]


def _kind(options: TrainOptions, images: ImageSet) -> str | None:
    """Which network is trained; None where the pretrained one is enough."""
    if options.network != "auto":
        return options.network if is_own_network(options.network) else None
    if images.sizes.max() <= SMALL_SIDE:
        return "cnn"
    return FINETUNE if options.preset == "accurate" and len(images) >= WORTH_LEARNING_ON else None


def _begun_views(begun: Mapping[str, Any]) -> int:
    if "views" in begun:
        return int(begun["views"])
    raise BottegaError(
        found="a recipe of an earlier version, which fine-tuned whole pictures",
        expected="views = the number of views of each picture",
        fix="train again: bottega train DATA --network finetune",
    )


def _require_no_augmentation(options: TrainOptions) -> None:
    if options.augment != "auto":
        raise BottegaError(
            found=f"--augment {options.augment} for a pretrained network that learns on",
            expected="--augment auto: it learns from stated views of each picture, mirrored and cut at the corners",
            fix="leave --augment out, or choose --network cnn",
        )


def _architecture(kind: str, options: TrainOptions, frame: Frame, written: str | None, source: Any) -> Architecture:
    if ":" in kind:
        return UserClass(kind if source is None else source, frame.shape)
    return architecture_of(options, frame.shape, written)


def _device(wanted: str) -> str:
    """Where to train: a GPU where there is one, unless the processor was asked for."""
    if wanted == "cpu":
        return wanted
    from bottega.training.precision import has_gpu

    if has_gpu():
        return "cuda"
    if wanted == "cuda":
        raise BottegaError(
            found="--device cuda, and no GPU that torch can use",
            expected="an NVIDIA GPU with its driver, and a torch built for it",
            fix="--device auto, which takes the processor then",
        )
    return "cpu"
