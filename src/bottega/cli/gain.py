"""A paired difference on the terminal: its value with its sign, and its interval."""

from bottega.cli.axis import IN_PERCENT, digits_of
from bottega.problem.records import Score

__all__ = ["signed"]


def signed(gain: Score, metric: str) -> str:
    """The difference and its 95 % interval, shares in percentage points.

    Example:
        >>> signed(Score(300, 0.021, 0.004, 0.038), "accuracy")
        '+2.1 points (+0.4 … +3.8)'
        >>> signed(Score(300, -0.03, -0.08, 0.02), "log_loss")
        '−0.03 log loss (−0.08 … +0.02)'
    """
    scale, unit = (100, " points") if metric in IN_PERCENT else (1, f" {metric.replace('_', ' ')}")
    unit += "" if metric == "accuracy" or scale == 1 else f" {metric.replace('_', ' ')}"
    digits = digits_of(scale * (gain.high - gain.low))
    value, low, high = (_sign(scale * one, digits) for one in (gain.score, gain.low, gain.high))
    return f"{value}{unit} ({low} … {high})"


def _sign(value: float, digits: int) -> str:
    shown = f"{value:+.{digits}f}"
    return shown[1:] if float(shown) == 0 else shown.replace("-", "−")
