"""Threads that wait quietly: said before torch or scikit-learn load the library that reads it."""

import os

__all__ = ["calm_threads"]


def calm_threads() -> None:
    """Let idle OpenMP threads sleep instead of spin, unless the user chose otherwise.

    A thread that spins takes the core from the very work it waits for, as soon as another process wants that core too.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
