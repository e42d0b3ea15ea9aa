"""Pictures as vectors: which views of them are worth their time, and the pretrained network behind each."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.picture_view import View
from bottega.data.profile import ImageSet
from bottega.data.store import Store
from bottega.models.lite import lower_shape
from bottega.models.pretrained import Pretrained, find_weights
from bottega.problem.records import Progress
from bottega.workflow.clock import Clock
from bottega.workflow.features import compute_features, engine, is_cached
from bottega.workflow.options import TrainOptions
from bottega.workflow.run_folder import RunFolder

__all__ = ["PREPARED", "PRESETS", "SMALL_SIDE", "Frame", "KeptBlocks", "PictureViews", "frame_for"]

Floats = npt.NDArray[np.float32]
SIZES = {"efficientnet_lite0": 224, "efficientnet_lite2": 260}  # side of the network's input, pixels
SMALLER, LARGER = "efficientnet_lite0", "efficientnet_lite2"
PRESETS = {"fast": ["network"], "accurate": ["network", "mirrored", "larger"]}
GRAPH_VERSION = "levels-2"  # of what the network's graph gives; another one must not be taken from the cache
RESERVE_SECONDS = 9.0  # imports, fitting, replay and report for a few thousand pictures
RESERVE_EACH = 0.004  # seconds more for each picture
PROBE = 4  # pictures
SMALL_SIDE = 40  # pixels: up to here a network of one's own sees all there is; the pretrained one was made for more
SIDES = {"fast": 64, "accurate": 96}  # pixels; four times the pixels take four times as long

PREPARED = {
    "input": "uint8 [N, H, W, 3], RGB, any height and width",
    "resize": "antialiased linear, half-pixel centres, squeezed to a square",
    "scale": "(x - 127) / 128",
    "features": "mean and root mean square of every channel at five levels of a frozen EfficientNet-Lite",
}


@dataclass(frozen=True)
class Frame:
    """The square that a network of one's own sees: `side` pixels, 1 channel for grey pictures or 3."""

    side: int
    n_channels: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one picture: channels, height, width."""
        return self.n_channels, self.side, self.side


def frame_for(images: ImageSet, preset: str) -> Frame:
    """The square that suits the pictures: their own size where they are small, else 64 pixels (accurate: 96)."""
    largest = int(np.median(images.sizes.max(1)))
    side = largest if largest <= SMALL_SIDE else SIDES[preset]
    thumbs = images.thumbs
    grey = bool((thumbs[..., 0] == thumbs[..., 1]).all() and (thumbs[..., 1] == thumbs[..., 2]).all())
    return Frame(side, 1 if grey else 3)


@dataclass(frozen=True)
class Below:
    """What stands between raw pictures and the fitted part of a file.

    Attributes:
        prepare: adds it to a graph (`shipping.export.Prepare`).
        words: what it does, for the report.
        weights: of the pretrained network in it.
    """

    prepare: Any
    words: str
    weights: Pretrained | None = None


@dataclass(frozen=True)
class KeptBlocks:
    """The lower blocks of a pretrained network that learns on: what they give is computed once.

    Attributes:
        side: of the square picture, pixels.
        views: how a picture is held; the first is the one that ships.
    """

    weights: Pretrained
    side: int
    views: tuple[View, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what is kept for one picture: views, channels, height, width."""
        return len(self.views), *lower_shape(self.weights.name, self.side)

    def graph(self) -> bytes:
        """The blocks: `x` float32 [N, 3, side, side] -> `states`."""
        from bottega.shipping.export import export_lower

        return export_lower(self.weights.name, self.weights.path, self.side)


class PictureViews:
    """Vectors of all pictures of a set, by the name of the view.

    Args:
        images: every readable picture, the unlabelled ones too.
    """

    def __init__(self, images: ImageSet, store: Store, threads: int, progress: Progress | None) -> None:
        self.images = images
        self.store = store
        self.threads = threads
        self.progress = progress
        self.unaffordable: dict[str, str] = {}  # views of the preset that `--time` left no room for, and why
        self._backbones: dict[str, Any] = {}
        self._weights: dict[str, Pretrained] = {}
        self._vectors: dict[tuple[str, bool], Floats] = {}

    def choose(self, options: TrainOptions, clock: Clock, folder: RunFolder) -> list[str]:
        """The views to train on: the preset's, cut to what fits into `--time`; journalled before they are used."""
        wanted = PRESETS[options.preset]
        if options.time_seconds is None:
            return wanted
        decided = folder.decisions().get("views")
        if decided is None:
            decided = self._affordable(wanted, clock)
            folder.tell("decided", what="views", value=decided, left_seconds=round(clock.left(), 1))
        late = f"its vectors would have taken longer than the {options.time_seconds:g} s that were allowed"
        self.unaffordable = {view: late for view in wanted if view not in decided}
        return [str(view) for view in decided]

    def vectors(self, view: str) -> Floats:
        """(N, D) float32 of a view: `plain`, `network`, `mirrored` or `larger`."""
        if view == "plain":
            return self._plain()
        if view == "mirrored":
            return (self._run(SMALLER, flip=False) + self._run(SMALLER, flip=True)) / np.float32(2)
        return self._run(SMALLER if view == "network" else LARGER, flip=False)

    def below(self, view: str, frame: Frame | None, kept: KeptBlocks | None = None) -> Below:
        """What stands below a candidate of this view in the shipped graph.

        Args:
            frame: of the view `pixels`.
            kept: of the view `pixels`, where a pretrained network has learned on.
        """
        from bottega.shipping.export import features_input, pixels_input, plain_input, states_input

        if view == "pixels" and kept is not None:
            words = f"squeezed to {kept.side} × {kept.side}; a pretrained network that has learned on"
            return Below(states_input(kept.graph(), kept.side, kept.views[:1]), words, kept.weights)
        if view == "plain":
            return Below(plain_input, "squeezed to a thumbnail, and a histogram of the colours")
        if view == "pixels" and frame is not None:
            words = f"squeezed to {frame.side} × {frame.side} {'grey' if frame.n_channels == 1 else 'colour'} pixels"
            return Below(pixels_input(frame.side, frame.n_channels), words)
        name = LARGER if view == "larger" else SMALLER
        held = [View(), View(flip=True)] if view == "mirrored" else [View()]
        prepare = features_input(self._backbone(name), held)
        words = f"{PREPARED['resize']}; {PREPARED['scale']}; a frozen pretrained network"
        return Below(prepare, words, self._weights[name])

    def graph(self, name: str, *, flip: bool = False) -> tuple[bytes, int]:
        """The preparation and a pretrained network, from raw pictures to vectors, and the length of a vector."""
        from bottega.shipping.export import features_input, vectors_graph

        backbone = self._backbone(name)
        shape = (backbone.n_features,)
        return vectors_graph(features_input(backbone, [View(flip=flip)]), shape), backbone.n_features

    def _plain(self) -> Floats:
        from bottega.data.preparation import N_PLAIN
        from bottega.shipping.export import plain_input, vectors_graph

        if ("plain", False) not in self._vectors:
            self._vectors["plain", False] = self._compute(
                vectors_graph(plain_input, (N_PLAIN,)), (N_PLAIN,), "describing pictures for the rivals"
            )
        return self._vectors["plain", False]

    def _run(self, name: str, *, flip: bool) -> Floats:
        if (name, flip) not in self._vectors:
            graph, n_features = self.graph(name, flip=flip)
            step = "describing pictures by the network" + (", mirrored" if flip else "")
            self._vectors[name, flip] = self._compute(graph, (n_features,), step)
        return self._vectors[name, flip]

    def pixels(self, frame: Frame) -> npt.NDArray[np.uint8]:
        """(N, n_channels, side, side): the pictures themselves, squeezed, for a network that learns from them."""
        from bottega.shipping.export import pixels_input, vectors_graph

        graph = vectors_graph(pixels_input(frame.side, frame.n_channels), frame.shape, dtype=np.uint8)
        return self._compute(graph, frame.shape, "squeezing pictures", np.uint8)

    def states(self, kept: KeptBlocks) -> npt.NDArray[np.float16]:
        """(N, V, C, H, W): views of all pictures as the lower blocks of a network give them that learns on."""
        from bottega.shipping.export import states_input, vectors_graph

        prepare = states_input(kept.graph(), kept.side, kept.views)
        graph = vectors_graph(prepare, kept.shape, dtype=np.float16)
        return self._compute(graph, kept.shape, "describing pictures by the blocks that stay", np.float16)

    def _compute(
        self, graph: bytes, shape: tuple[int, ...], step: str, dtype: npt.DTypeLike = np.float32
    ) -> npt.NDArray[Any]:
        def tell(n_done: int, n_all: int) -> None:
            if self.progress is not None:
                self.progress(step, n_done, n_all)

        return compute_features(
            self.images, graph, shape, store=self.store, threads=self.threads, tell=tell, dtype=dtype
        )

    def _backbone(self, name: str) -> Any:
        """The exported network, from the cache where an earlier run exported the very same."""
        if name in self._backbones:
            return self._backbones[name]
        from bottega.shipping.export import Backbone, export_pretrained, n_outputs

        weights = self._weights[name] = find_weights(name)
        text = f"{GRAPH_VERSION}/{name}/{weights.sha256}"
        key = hashlib.sha256(text.encode()).digest()
        graph = self.store.get_blob("backbone", key)
        if graph is None:
            if self.progress is not None:
                self.progress("writing the pretrained network as a graph (once)", 0, None)
            graph = export_pretrained(name, weights.path)
            self.store.put_blob("backbone", key, graph)
        self._backbones[name] = Backbone(name, graph, SIZES[name], n_outputs(graph))
        return self._backbones[name]

    def _affordable(self, wanted: list[str], clock: Clock) -> list[str]:
        """The longest beginning of the preset's list that the time allows, by a probe on a few pictures."""
        left = clock.left() - RESERVE_SECONDS - RESERVE_EACH * len(self.images)
        kept = []
        for view in wanted:
            left -= self._seconds(LARGER if view == "larger" else SMALLER, flip=view == "mirrored")
            if left < 0:
                break
            kept.append(view)
        return kept

    def _seconds(self, name: str, *, flip: bool) -> float:
        """About how long the vectors of one network take; nothing where they are cached."""
        graph, n_features = self.graph(name, flip=flip)
        missing = len(self.images) - is_cached(self.images, graph, (n_features,), self.store)
        if missing == 0:
            return 0.0
        session = engine(graph, threads=1)
        n = min(PROBE, len(self.images))
        session.run(None, {"image": self.images.pixels(0)[None]})  # the first run also plans memory
        start = time.perf_counter()
        for i in range(n):
            session.run(None, {"image": self.images.pixels(i)[None]})
        return (time.perf_counter() - start) / n * missing / self.threads
