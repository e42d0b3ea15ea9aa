"""How a picture is held before a network."""

from dataclasses import dataclass

__all__ = ["View"]


@dataclass(frozen=True)
class View:
    """One way to hold a picture before the network.

    Attributes:
        crop: share of each side that is kept.
        at: where the kept part lies between top and bottom, and between left and right, 0 … 1 each.
        flip: whether left and right are mirrored.
    """

    crop: float = 1.0
    flip: bool = False
    at: tuple[float, float] = (0.5, 0.5)
