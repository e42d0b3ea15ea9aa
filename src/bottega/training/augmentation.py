"""Pictures made a little different at every step, as operations on a whole batch, each with its own generator.

A batch is float32 or uint8 (B, C, H, W), in the units of the pixels, before scaling. What moves in from outside repeats
the border.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional

__all__ = ["Suggestion", "augment", "contact_sheet", "mirror_probe", "mixup", "suggest"]

SHIFT = 0.08  # of the side, in whole pixels, at least one
CROP = 0.7  # least share of the side that is kept
ROTATION = 12.0  # degrees, at most
SCALE = 0.12  # larger or smaller, at most
COLOUR = 0.2  # brightness, contrast and saturation, at most
ERASED = 0.3  # of the side, at most
LEAST_SIDE = 16  # smaller pictures are only shifted: turning them would leave little of them
N_PROBED = 1000
PROBE_SIDE = 16
SURE = 2.33  # standard errors: 1 %


def augment(x: Tensor, names: Sequence[str], generator: Generator) -> Tensor:
    """Apply the named augmentations, each drawn anew for each picture.

    Args:
        x: (B, C, H, W); it isn't changed.
        names: of `settings.AUGMENTATIONS`; their order doesn't matter.
        generator: on the processor, whatever the device of `x`, so that every device sees the same draws.
    """
    for name in ("flip", "shift"):
        if name in names:
            x = _MOVES[name](x, generator)
    if any(name in _WARPS for name in names):
        x = _warped(x, [_WARPS[name](len(x), generator) for name in _WARPS if name in names])
    for name in ("colour", "erasing"):
        if name in names:
            x = _MOVES[name](x.float(), generator)
    return x


def mixup(x: Tensor, y: Tensor, alpha: float, generator: Generator) -> tuple[Tensor, Tensor, float]:
    """Lay each example over another one.

    Returns:
        The mixed batch, the targets of the partners, and the share of the first, at least a half.
    Source: Zhang et al. 2018.
    """
    order = torch.randperm(len(x), generator=generator).to(x.device)
    a, b = torch._standard_gamma(torch.tensor([alpha, alpha], dtype=torch.float64), generator=generator).tolist()
    share = a / (a + b) if a + b > 0 else 1.0
    share = max(share, 1 - share)
    return x * share + x[order] * (1 - share), y[order], share


def _flip(x: Tensor, generator: Generator) -> Tensor:
    """Left and right change places in half of the pictures."""
    mirrored = (torch.rand(len(x), generator=generator) < 0.5).to(x.device)
    return torch.where(mirrored[:, None, None, None], x.flip(3), x)


def _shift(x: Tensor, generator: Generator) -> Tensor:
    """Moved by whole pixels, so that nothing is blurred."""
    B, C, H, W = x.shape
    rows, columns = _moved(B, H, generator).to(x.device), _moved(B, W, generator).to(x.device)
    places = (rows[:, :, None] * W + columns[:, None, :]).reshape(B, 1, H * W)
    return x.reshape(B, C, H * W).gather(2, places.expand(B, C, H * W)).reshape(B, C, H, W)


def _moved(n: int, side: int, generator: Generator) -> Tensor:
    """Where each row or column of pixels comes from: (n, side)."""
    reach = min(max(1, round(side * SHIFT)), side - 1)
    by = torch.randint(-reach, reach + 1, (n, 1), generator=generator)
    return (torch.arange(side) + by).clamp_(0, side - 1)


def _colour(x: Tensor, generator: Generator) -> Tensor:
    """Brighter or darker, with more or less contrast, and with more or less colour where there are three channels."""
    by = (1 + COLOUR * (2 * torch.rand(3, len(x), 1, 1, 1, generator=generator) - 1)).to(x.device)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * by[1] + mean * by[0]
    if x.shape[1] == 3:
        grey = x.mean(1, keepdim=True)
        x = (x - grey) * by[2] + grey
    return x


def _erasing(x: Tensor, generator: Generator) -> Tensor:
    """A rectangle is filled with the picture's mean, in half of the pictures.

    Source: Zhong et al. 2020, "Random erasing data augmentation".
    """
    B, _, H, W = x.shape
    draws = torch.rand(5, B, 1, generator=generator).to(x.device)
    inside = (draws[4] < 0.5)[:, :, None]
    for draw, size, side, axis in ((draws[0], draws[2], H, 2), (draws[1], draws[3], W, 1)):
        at = torch.arange(side, device=x.device)[None] + 0.5
        length = size * ERASED * side
        start = draw * (side - length)
        inside = inside & ((at >= start) & (at < start + length)).unsqueeze(axis)
    return torch.where(inside[:, None], x.mean((1, 2, 3), keepdim=True), x)


def _rotation(n: int, generator: Generator) -> Tensor:
    angle = (2 * torch.rand(n, generator=generator) - 1) * math.radians(ROTATION)
    return _affine(torch.cos(angle), -torch.sin(angle), torch.sin(angle), torch.cos(angle))


def _scale(n: int, generator: Generator) -> Tensor:
    by = 1 + SCALE * (2 * torch.rand(n, generator=generator) - 1)
    return _affine(by, torch.zeros(n), torch.zeros(n), by)


def _crop(n: int, generator: Generator) -> Tensor:
    """A part of the picture, blown up to its whole size."""
    draws = torch.rand(3, n, generator=generator)
    kept = CROP + (1 - CROP) * draws[0]
    matrix = _affine(kept, torch.zeros(n), torch.zeros(n), kept)
    matrix[:, :2, 2] = ((2 * draws[1:] - 1) * (1 - kept)).T
    return matrix


def _affine(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """(n, 3, 3): where a pixel of the result comes from, in units of half the picture."""
    matrix = torch.zeros(len(a), 3, 3)
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1], matrix[:, 2, 2] = a, b, c, d, 1.0
    return matrix


def _warped(x: Tensor, matrices: Sequence[Tensor]) -> Tensor:
    """All that turns and stretches, in one resampling: each further one would blur."""
    whole = matrices[0]
    for matrix in matrices[1:]:
        whole = whole @ matrix
    aspect = x.shape[3] / x.shape[2]  # a turn is one of pixels, not of halves
    whole = whole * torch.tensor([[1.0, 1 / aspect, 1.0], [aspect, 1.0, 1.0], [1.0, 1.0, 1.0]])
    grid = functional.affine_grid(whole[:, :2].to(x.device), list(x.shape), align_corners=False)
    return functional.grid_sample(x.float(), grid, padding_mode="border", align_corners=False)


_MOVES: Mapping[str, Callable[[Tensor, Generator], Tensor]] = {
    "flip": _flip,
    "shift": _shift,
    "colour": _colour,
    "erasing": _erasing,
}
_WARPS: Mapping[str, Callable[[int, Generator], Tensor]] = {"rotation": _rotation, "scale": _scale, "crop": _crop}


@dataclass(frozen=True)
class Suggestion:
    """What was chosen for the data, and why, in one sentence for the screen and the record."""

    names: tuple[str, ...]
    why: str


def suggest(side: int, n_channels: int, *, mirrored: bool) -> Suggestion:
    """The augmentations for pictures of this kind.

    Args:
        side: the shorter one, in pixels.
        mirrored: whether a mirrored picture is as likely as the picture; `mirror_probe` says.
    """
    names = ["flip"] if mirrored else []
    why = "mirrored pictures are as likely" if mirrored else "not mirrored: a mirrored picture would be another thing"
    if side < LEAST_SIDE:
        return Suggestion((*names, "shift"), f"{why}; under {LEAST_SIDE} pixels there is room for a shift alone")
    if n_channels == 1:
        return Suggestion((*names, "shift", "rotation", "scale"), f"{why}; grey: place, angle and size vary")
    return Suggestion((*names, "crop", "rotation", "colour"), f"{why}; colour: part, angle and light vary")


def mirror_probe(x: NDArray[Any], y: NDArray[np.int64], *, seed: int = 0) -> bool:
    """Whether mirroring leaves the pictures what they are, read off the training pictures themselves.

    Half of a sample are the known ones; the other half are recognised by their nearest known neighbour, once as they
    are and once mirrored. Where mirroring loses answers beyond chance, as with digits and letters, it changes the
    picture's meaning; so it may where neighbours know nothing and the pictures are grey.

    Args:
        x: (N, C, H, W) training pictures.
        y: (N,) their class indices.
    """
    rows = np.random.default_rng(seed).permutation(len(x))[: 2 * N_PROBED]
    pictures = torch.from_numpy(np.ascontiguousarray(x[np.sort(rows)])).float()
    targets = y[np.sort(rows)]
    small = functional.adaptive_avg_pool2d(pictures, tuple(min(PROBE_SIDE, side) for side in x.shape[2:]))
    known, asked = small[::2], small[1::2]
    plain = _nearest_right(known, asked, targets)
    mirrored = _nearest_right(known, asked.flip(3), targets)
    lost, won = int((plain & ~mirrored).sum()), int((mirrored & ~plain).sum())
    if (lost - won) > SURE * math.sqrt(lost + won):  # McNemar's test
        return False
    chance = np.bincount(targets).max() / max(len(targets), 1)
    knows = (
        plain.mean() - chance > SURE * math.sqrt(chance * (1 - chance) / max(len(plain), 1)) if len(plain) else False
    )
    return bool(knows or x.shape[1] == 3)


def _nearest_right(known: Tensor, asked: Tensor, y: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the asked have the class of their nearest known one."""
    if not len(asked):
        return np.zeros(0, np.bool_)
    nearest = torch.cdist(asked.flatten(1), known.flatten(1)).argmin(1).numpy()
    right: NDArray[np.bool_] = y[::2][nearest] == y[1::2]
    return right


def contact_sheet(x: NDArray[np.uint8], names: Sequence[str], *, seed: int, n_variants: int = 5) -> NDArray[np.uint8]:
    """Pictures beside what training makes of them, for the report.

    Args:
        x: (N, C, H, W).
    Returns:
        (N, 1 + n_variants, C, H, W): the picture first.
    """
    generator = Generator().manual_seed(seed)
    originals = torch.from_numpy(np.ascontiguousarray(x))
    drawn = [augment(originals, names, generator).round().clamp(0, 255).to(torch.uint8) for _ in range(n_variants)]
    sheet: NDArray[np.uint8] = torch.stack([originals, *drawn], 1).numpy()
    return sheet
