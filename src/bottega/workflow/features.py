"""Vectors of pictures, made by the very graphs that ship, once for each content."""

import hashlib
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.profile import ImageSet
from bottega.data.store import Store

__all__ = ["batches", "compute_features", "cores_at_hand", "engine", "is_cached", "machine_key"]

Floats = npt.NDArray[np.float32]
Jobs = list[list[int]]
MAX_BATCH = 4  # pictures of one size; larger batches are slower (benchmarks: pictures_speed)
MAX_BATCH_PIXELS = 4_000_000
MOST_SMALL = 16  # pictures of one size, for a graph without a network: its work is less than what a call costs
SMALL_GRAPH_BYTES = 1_000_000  # a network's weights take more, a mere preparation a few thousand
SAVE_EVERY = 2000  # pictures: what an interruption may cost


def compute_features(
    images: ImageSet,
    graph: bytes,
    shape: tuple[int, ...],
    *,
    store: Store,
    threads: int,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
    dtype: npt.DTypeLike = np.float32,
) -> npt.NDArray[Any]:
    """Run every picture through a graph, or fetch what an earlier run kept.

    Each worker decodes a few pictures and runs them on one thread of its own: decoding overlaps computing, and a
    vector doesn't depend on how many workers there are, nor on what else is in its batch.

    Args:
        graph: `image` uint8 [N, H, W, 3] -> `features` [N, *shape].
        shape: of one picture's vector.
        threads: workers.
        tell: called with the number of pictures that are done, and of all.
        dtype: of the graph's output.
    Returns:
        (N, *shape) of `dtype`.
    """
    namespace = _namespace(graph)
    found, rows = store.get(namespace, images.hashes, shape, dtype)
    missing = np.flatnonzero(~found)
    if not len(missing):
        return rows
    session = engine(graph, threads=1)
    most = MOST_SMALL if len(graph) < SMALL_GRAPH_BYTES else MAX_BATCH

    def work(indices: list[int]) -> npt.NDArray[Any]:
        pixels = np.stack([images.pixels(i) for i in indices])
        vectors: npt.NDArray[Any] = session.run(["features"], {"image": pixels})[0]
        return vectors

    unsaved: list[int] = []
    n_done = len(images) - len(missing)
    try:
        for indices, vectors in _run(work, batches(images, missing, most), threads):
            rows[indices] = vectors
            unsaved += indices
            n_done += len(indices)
            tell(n_done, len(images))
            if len(unsaved) >= SAVE_EVERY:
                store.put(namespace, images.hashes[unsaved], rows[unsaved])
                unsaved = []
    finally:
        if unsaved:  # also when interrupted: nothing is computed twice
            store.put(namespace, images.hashes[unsaved], rows[unsaved])
    return rows


def is_cached(images: ImageSet, graph: bytes, shape: tuple[int, ...], store: Store) -> int:
    """How many of the pictures an earlier run has described already."""
    found, _ = store.get(_namespace(graph), images.hashes, shape, np.float32)
    return int(found.sum())


def _namespace(graph: bytes) -> str:
    return f"features/{hashlib.sha256(graph).hexdigest()}/{machine_key()}"


def engine(graph: bytes, *, threads: int) -> Any:
    """An ONNX Runtime session on the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


@cache
def machine_key() -> str:
    """What decides the last bits of a result: the runtime's version and what the processor can do."""
    from importlib.metadata import version

    flags = platform.machine() + platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(errors="replace").splitlines()
        flags += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{version('onnxruntime')}-{hashlib.sha256(flags.encode()).hexdigest()[:12]}"


def batches(images: ImageSet, indices: npt.NDArray[np.int64], most: int = MAX_BATCH) -> Jobs:
    """Pictures of one size together, at most `most` at a time, in the order of the set."""
    by_size: dict[tuple[int, int], list[int]] = {}
    for i in indices.tolist():
        by_size.setdefault((int(images.sizes[i, 0]), int(images.sizes[i, 1])), []).append(i)
    jobs: Jobs = []
    for (height, width), members in by_size.items():
        n = max(1, min(most, MAX_BATCH_PIXELS // (height * width)))
        jobs += [members[start : start + n] for start in range(0, len(members), n)]
    return jobs


def _run(work: Any, jobs: Sequence[list[int]], threads: int) -> Iterator[tuple[list[int], npt.NDArray[Any]]]:
    """Results as they come; only a few batches are in flight at a time."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: dict[Future[npt.NDArray[Any]], list[int]] = {}
        todo = iter(jobs)
        try:
            while True:
                for job in todo:
                    waiting[pool.submit(work, job)] = job
                    if len(waiting) >= 2 * threads:
                        break
                if not waiting:
                    return
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield waiting.pop(future), future.result()
        finally:
            for future in waiting:
                future.cancel()


def cores_at_hand() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
