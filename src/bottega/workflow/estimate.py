"""How long training would take on this machine, from a probe of a fraction of a second."""

import time

import numpy as np

from bottega.data.profile import ImageSet
from bottega.workflow.features import cores_at_hand
from bottega.workflow.pictures import SMALL_SIDE

__all__ = ["estimate_seconds"]

N_DECODED = 8  # pictures
SIDE = 1024  # of the matrices that are multiplied
NETWORK_OPERATIONS = 0.8e9  # of EfficientNet-Lite0 for one picture: twice its 407 million multiplications
EFFICIENCY = 0.7  # of small convolutions against one large product, in operations a second and core
FIXED_SECONDS = 12.0  # imports, the first export of the network, fitting, report
FIT_SECONDS = 0.002  # more for each picture
SMALL_SECONDS = 0.004  # for each small picture: a network of its own, some epochs of it, and its rivals


def estimate_seconds(images: ImageSet) -> float:
    """Seconds for `bottega train` with a cold cache and the fast preset, give or take a half.

    Pictures are decoded twice, described by the network once, and the test part is replayed; a matrix product tells
    what this processor can do.
    """
    n = len(images)
    if n == 0:
        return 0.0
    if images.sizes.max() <= SMALL_SIDE:
        return FIXED_SECONDS + SMALL_SECONDS * n
    start = time.perf_counter()
    picked = np.unique(np.linspace(0, n - 1, min(n, N_DECODED)).astype(np.int64))
    for i in picked:
        images.pixels(int(i))
    decode = (time.perf_counter() - start) / len(picked)
    cores = cores_at_hand()
    engine = NETWORK_OPERATIONS / (_operations_a_second() * EFFICIENCY)
    return FIXED_SECONDS + n * ((2 * decode) / cores + 1.2 * engine + FIT_SECONDS)


def _operations_a_second() -> float:
    """Of a large float32 product on all cores at hand, the best of three."""
    matrix = np.ones((SIDE, SIDE), np.float32)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        matrix @ matrix
        best = min(best, time.perf_counter() - start)
    return 2 * SIDE**3 / best
