"""The evidence of a training: its curve, read out, and how it was come by."""

import io
import math
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.evaluation.evidence import Curve, CurvePoint, Learning, RateTest, Thumbnail
from bottega.evaluation.metrics import METRICS
from bottega.evaluation.wording import metric_name, percent
from bottega.problem.network_summary import summarise
from bottega.training.settings import Settings
from bottega.workflow.own_network import WITH_VIEWS, Learned, OwnNetwork

__all__ = ["epoch_curve", "learning"]

N_SHOWN, N_VARIANTS = 6, 7
SHEET_SIDE = 64  # pixels: a smaller picture is enlarged to about this, so that it can be seen
MOST_POINTS = 120


def epoch_curve(learned: Learned, metric: str) -> Curve | None:
    """Loss on training and validation examples over the epochs, and what happened, in a sentence."""
    history = learned.history
    if len(history) < 2:
        return None
    thinned = history[:: -(-len(history) // MOST_POINTS)]
    points = tuple(CurvePoint(line.epoch, f"{line.epoch:g}", line.fit_loss, line.val_loss) for line in thinned)
    return Curve(points, _sentence(learned, metric), "epoch", "log loss", learned.best.epoch, "kept")


def _sentence(learned: Learned, metric: str) -> str:
    best, last = learned.best, learned.history[-1]
    score = percent(best.val_score) if METRICS[metric].is_share else f"{best.val_score:.3g}"
    said = f"The network was best after epoch {best.epoch:g}: validation {metric_name(metric)} {score}"
    waited = last.epoch - best.epoch
    ending = {
        "epochs": f"it trained for the {last.epoch:g} epochs that it was given",
        "patience": f"training stopped after {waited:g} more epochs without a better one",
        "time": f"the time was up after epoch {last.epoch:g}",
        "interrupted": f"it was stopped in epoch {math.floor(last.epoch) + 1}",
    }[learned.stopped]
    if learned.stopped == "epochs" and waited < 1:
        ending += ", and the last was the best: more epochs might help"
    return f"{said}; {ending}. The weights of epoch {best.epoch:g} are the ones that count."


def learning(own: OwnNetwork, pixels: npt.NDArray[Any]) -> Learning | None:
    """What the report tells of the training beside its curve.

    Args:
        pixels: (N, C, H, W) the training pictures as the network saw them; (N, V, C, H, W) with views.
    """
    learned, plan = own.learned, own.architecture.plan
    if learned is None:
        return None
    names = learned.settings.augment
    return Learning(
        network=None if plan is None else summarise(plan, own.n_classes),
        augmented=f"{', '.join(names)}: {learned.augmented}" if names else learned.augmented,
        sheet=_sheet(pixels, learned.settings) if names else None,
        rate_test=_rate_test(learned),
        notes=learned.notes,
        settings={name.replace("_", " "): _value(value) for name, value in asdict(learned.settings).items()},
        has_views=pixels.ndim == WITH_VIEWS,
    )


def _rate_test(learned: Learned) -> RateTest | None:
    tested = learned.range_test
    if tested is None or not tested.rates:
        return None
    points = tuple(
        (math.log10(rate), loss) for rate, loss in zip(tested.rates, tested.losses, strict=True) if math.isfinite(loss)
    )
    return RateTest(points, math.log10(tested.chosen), tested.why)


def _sheet(pixels: npt.NDArray[Any], settings: Settings) -> Thumbnail:
    """Pictures in rows, each followed by variations as training made them."""
    from PIL import Image

    from bottega.training.augmentation import contact_sheet

    rows = np.linspace(0, len(pixels) - 1, min(N_SHOWN, len(pixels))).astype(int)
    sheet = contact_sheet(pixels[rows], settings.augment, seed=settings.seed, n_variants=N_VARIANTS)
    n, m, C, H, W = sheet.shape
    zoom = max(1, SHEET_SIDE // max(H, W))
    large = np.pad(sheet, ((0, 0), (0, 0), (0, 0), (1, 1), (1, 1)), constant_values=255)
    whole = large.transpose(0, 3, 1, 4, 2).reshape(n * (H + 2), m * (W + 2), C)  # rows of pictures -> one picture
    image = Image.fromarray(whole[..., 0] if C == 1 else whole)
    image = image.resize((image.width * zoom, image.height * zoom), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    alt = f"{n} training pictures, each followed by {m - 1} variations: {', '.join(settings.augment)}"
    return Thumbnail(buffer.getvalue(), image.width, image.height, alt)


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value) or "none"
    return f"{value:.3g}" if isinstance(value, float) else "none" if value is None else str(value)
