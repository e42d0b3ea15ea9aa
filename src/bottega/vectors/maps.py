"""Words on a plane: a linear view (PCA) and one that keeps neighbours (t-SNE), drawn as one SVG."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST", "Plane", "draw", "planes"]

FEWEST = 3
FEWEST_TSNE = 6  # below this, keeping neighbours means nothing
WIDTH, HEIGHT, TOP = 640, 520, 64
LETTER = 7.4  # px: what one letter of 13 px takes in a wide system font

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Plane:
    """Both views of the same words.

    Attributes:
        pca: (n, 2).
        variance: the share that each of its two axes keeps.
        tsne: (n, 2); (0, 2) where the words are too few.
    """

    pca: Points
    variance: tuple[float, float]
    tsne: Points


def planes(units: Points, *, seed: int) -> Plane:
    """Put unit vectors (n, D) on the plane; needs scikit-learn.

    Args:
        units: at least three.
        seed: of t-SNE; another one gives another picture.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    fitted = PCA(n_components=2, svd_solver="full")
    pca = fitted.fit_transform(units)
    tsne = np.zeros((0, 2))
    if len(units) >= FEWEST_TSNE:
        perplexity = min(30.0, (len(units) - 1) / 3)
        tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(units).astype(np.float64)
    shares = fitted.explained_variance_ratio_
    return Plane(pca.astype(np.float64), (float(shares[0]), float(shares[1])), tsne)


def draw(words: Sequence[str], plane: Plane, *, seed: int, warning: str, stacked: bool = False) -> str:
    """One SVG with both views beside each other, or under each other, the warning below; light and dark."""
    kept = sum(plane.variance)
    panels = [("PCA", f"these two axes keep {100 * kept:.0f} % of the variance", plane.pca)]
    if len(plane.tsne):
        panels.append(("t-SNE", f"seed {seed}; distances between groups mean nothing", plane.tsne))
    width, height = WIDTH * (1 if stacked else len(panels)), (HEIGHT + TOP) * (len(panels) if stacked else 1) + 40
    moves = [(0, (HEIGHT + TOP) * i) if stacked else (WIDTH * i, 0) for i in range(len(panels))]
    body = [
        f'<g transform="translate({x},{y})">{_panel(title, below, words, points)}</g>'
        for (x, y), (title, below, points) in zip(moves, panels, strict=True)
    ]
    label = html.escape(f"{len(words)} words on a plane: {warning}", quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'style="max-width:100%;height:auto" role="img" aria-label="{label}" '
        'font-family="Inter, system-ui, sans-serif" font-size="13">\n'
        "<style>.g{fill:#FBF9F5}.i{fill:#1E1B18}.s{fill:#5E574F}.d{fill:#A6402A}"
        "@media (prefers-color-scheme:dark){.g{fill:#171513}.i{fill:#F1ECE4}.s{fill:#B3AAA0}.d{fill:#E58A6F}}</style>\n"
        f'<rect class="g" width="{width}" height="{height}"/>\n' + "\n".join(body) + "\n"
        f'<text class="s" x="16" y="{height - 14}">{html.escape(warning)}</text>\n</svg>\n'
    )


def _panel(title: str, below: str, words: Sequence[str], points: Points) -> str:
    """One view: dots, each with its word where there is room for it."""
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    span = np.where(span > 0, span, 1.0)
    places = (points - low) / span * (WIDTH - 160, HEIGHT - 40) + (40, TOP + 20)
    parts = [
        f'<text class="i" x="16" y="28" font-size="20">{title}</text>',
        f'<text class="s" x="16" y="50">{html.escape(below)}</text>',
    ]
    taken: list[tuple[float, float, float, float]] = []
    for word, (x, y) in zip(words, places.tolist(), strict=True):
        parts.append(f'<circle class="d" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{html.escape(word)}</title></circle>')
        shown = word if len(word) <= 24 else word[:23] + "…"
        wide = LETTER * len(shown)
        spots = [(x + 6, y + 4), (x - 6 - wide, y + 4), (x - wide / 2, y - 8), (x - wide / 2, y + 17)]
        free = [spot for spot in spots if 4 <= spot[0] <= WIDTH - wide - 4 and not _overlaps(spot, wide, taken)]
        if free:
            left, foot = free[0]
            taken.append((left, foot - 12, left + wide, foot + 3))
            parts.append(f'<text class="i" x="{left:.1f}" y="{foot:.1f}">{html.escape(shown)}</text>')
    return "".join(parts)


def _overlaps(spot: tuple[float, float], wide: float, taken: Sequence[tuple[float, float, float, float]]) -> bool:
    left, foot = spot
    return any(left < r and left + wide > x and foot - 12 < bottom and foot + 3 > top for x, top, r, bottom in taken)
