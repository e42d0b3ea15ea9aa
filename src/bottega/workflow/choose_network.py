"""Which network a run trains, the pretrained one or one of its own: settled before the recipe is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bottega.data.profile import ImageSet
from bottega.errors import BottegaError
from bottega.problem.network import network_to_toml, read_network
from bottega.workflow.network_options import is_own_network
from bottega.workflow.options import TrainOptions
from bottega.workflow.own_network import Architecture, UserClass, architecture_of, stated_shape
from bottega.workflow.pictures import Frame, frame_for

__all__ = ["OwnChoice", "choose_network", "own_names"]

SMALL_SIDE = 40  # pixels: up to here a network of one's own sees all there is; the pretrained one was made for more
ANY_PICTURE = (3, 64, 64)  # to read a plan whose name is wanted


@dataclass(frozen=True)
class OwnChoice:
    """A network of one's own, and the square that it sees.

    Attributes:
        device: where it is trained.
    """

    architecture: Architecture
    frame: Frame
    device: str

    def facts(self) -> dict[str, Any]:
        """For the recipe: whoever has them makes the same choice."""
        plan = self.architecture.plan
        facts: dict[str, Any] = {"input": [*self.frame.shape], "device": self.device}
        if plan is not None:
            facts["plan"] = network_to_toml(plan)
        return facts

    def preparation(self) -> dict[str, str]:
        """For the recipe and the report: what happens to a raw picture, in words."""
        side, colours = self.frame.side, "grey" if self.frame.n_channels == 1 else "RGB"
        return {
            "input": "uint8 [N, H, W, 3], RGB, any height and width",
            "resize": f"antialiased linear, half-pixel centres, squeezed to {side} x {side}, whole levels, {colours}",
            "scale": "mean 0 and spread 1 for each channel of the training pictures",
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
        return OwnChoice(_architecture(options, frame, begun.get("plan"), source), frame, str(begun["device"]))
    if not _is_own(options, images):
        return None
    shape = stated_shape(options.network)
    frame = frame_for(images, options.preset) if shape is None else Frame(shape[1], shape[0])
    return OwnChoice(_architecture(options, frame, None, source), frame, _device(options.device))


def own_names(options: TrainOptions) -> list[str]:
    """Names that a candidate of one's own may come to have, before the data were seen."""
    network = options.network
    if network == "auto":
        return ["cnn"]
    if not is_own_network(network):
        return []
    if network.endswith(".toml"):
        return [read_network(network, None if stated_shape(network) else ANY_PICTURE).name]
    return [network.rpartition(":")[2]]


def _is_own(options: TrainOptions, images: ImageSet) -> bool:
    if options.network != "auto":
        return is_own_network(options.network)
    return bool(images.sizes.max() <= SMALL_SIDE)


def _architecture(options: TrainOptions, frame: Frame, written: str | None, source: Any) -> Architecture:
    if ":" in options.network:
        return UserClass(options.network if source is None else source, frame.shape)
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
