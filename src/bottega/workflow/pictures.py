"""Pictures as vectors: which views of them are worth their time, and the pretrained network behind each."""

import hashlib
import time
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.profile import ImageSet
from bottega.data.store import Store
from bottega.models.pretrained import Pretrained, find_weights
from bottega.problem.records import Progress
from bottega.workflow.clock import Clock
from bottega.workflow.features import compute_features, engine, is_cached
from bottega.workflow.options import TrainOptions
from bottega.workflow.run_folder import RunFolder

__all__ = ["PREPARED", "PRESETS", "PictureViews"]

Floats = npt.NDArray[np.float32]
SIZES = {"efficientnet_lite0": 224, "efficientnet_lite2": 260}  # side of the network's input, pixels
SMALLER, LARGER = "efficientnet_lite0", "efficientnet_lite2"
PRESETS = {"fast": ["network"], "accurate": ["network", "mirrored", "larger"]}
GRAPH_VERSION = "levels-1"  # of what the exported network gives; another one must not be taken from the cache
RESERVE_SECONDS = 9.0  # imports, fitting, replay and report for a few thousand pictures
RESERVE_EACH = 0.004  # seconds more for each picture
PROBE = 4  # pictures

PREPARED = {
    "input": "uint8 [N, H, W, 3], RGB, any height and width",
    "resize": "antialiased linear, half-pixel centres, squeezed to a square",
    "scale": "(x - 127) / 128",
    "features": "mean and root mean square of every channel at five levels of a frozen EfficientNet-Lite",
}


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

    def layers(self, view: str) -> tuple[Any, list[Any], Pretrained | None]:
        """What stands below a head in the shipped graph: backbone, views, weights; None, [], None for `plain`."""
        from bottega.shipping.export import View

        if view == "plain":
            return None, [], None
        name = LARGER if view == "larger" else SMALLER
        views = [View(), View(flip=True)] if view == "mirrored" else [View()]
        return self._backbone(name), views, self._weights[name]

    def _plain(self) -> Floats:
        from bottega.data.preparation import N_PLAIN
        from bottega.shipping.export import plain_graph

        if ("plain", False) not in self._vectors:
            self._vectors["plain", False] = self._compute(plain_graph(), N_PLAIN, "describing pictures for the rivals")
        return self._vectors["plain", False]

    def _run(self, name: str, *, flip: bool) -> Floats:
        if (name, flip) not in self._vectors:
            backbone, graph = self._backbone(name), self._graph(name, flip=flip)
            step = "describing pictures by the network" + (", mirrored" if flip else "")
            self._vectors[name, flip] = self._compute(graph, backbone.n_features, step)
        return self._vectors[name, flip]

    def _compute(self, graph: bytes, n_features: int, step: str) -> Floats:
        return compute_features(
            self.images, graph, n_features, store=self.store, threads=self.threads, progress=self.progress, step=step
        )

    def _graph(self, name: str, *, flip: bool) -> bytes:
        from bottega.shipping.export import View, features_graph

        return features_graph(self._backbone(name), [View(flip=flip)])

    def _backbone(self, name: str) -> Any:
        """The exported network, from the cache where an earlier run exported the very same."""
        if name in self._backbones:
            return self._backbones[name]
        from bottega.shipping.export import Backbone, export_pretrained, n_outputs

        weights = self._weights[name] = find_weights(name)
        text = f"{GRAPH_VERSION}/{name}/{weights.sha256}/{version('torch')}/{version('onnx')}"
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
        backbone, graph = self._backbone(name), self._graph(name, flip=flip)
        missing = len(self.images) - is_cached(self.images, graph, backbone.n_features, self.store)
        if missing == 0:
            return 0.0
        session = engine(graph, threads=1)
        n = min(PROBE, len(self.images))
        session.run(None, {"image": self.images.pixels(0)[None]})  # the first run also plans memory
        start = time.perf_counter()
        for i in range(n):
            session.run(None, {"image": self.images.pixels(i)[None]})
        return (time.perf_counter() - start) / n * missing / self.threads
