"""How many threads compute, and that the idle ones wait quietly."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["calm_threads", "product_threads"]


def calm_threads() -> None:
    """Let idle OpenMP threads sleep instead of spin, unless the user chose otherwise.

    A thread that spins takes the core from the very work it waits for, as soon as another process wants that core too.
    Said before torch or scikit-learn load the library that reads it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextmanager
def product_threads(n: int) -> Iterator[None]:
    """Let each matrix product of numpy use `n` threads, however many cores there are: its last bits depend on it.

    One product's threads are the whole process's: not to be entered by two threads at once.
    """
    import scipy.linalg  # type: ignore[import-untyped]  # noqa: F401  # has products of its own: limited once loaded
    from threadpoolctl import threadpool_limits

    with threadpool_limits(n, user_api="blas"):
        yield
