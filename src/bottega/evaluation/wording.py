"""Numbers, durations and names in the words of the reports and of the terminal: one way to say each thing.

Stdlib only, so that a command that prints one line doesn't pay for numpy.
"""

import math
import re
import unicodedata
from collections.abc import Sequence

from bottega.problem.records import Score

__all__ = [
    "capital",
    "count",
    "count_of",
    "decimals",
    "digits_for",
    "duration",
    "file_size",
    "in_words",
    "is_share",
    "joined",
    "metric_meaning",
    "metric_name",
    "number",
    "opening",
    "percent",
    "percent_range",
    "plural",
    "points",
    "score_range",
    "score_text",
    "shortened",
    "text_width",
    "typical",
    "visible",
]

NARROW_SPACE = "\u202f"  # the thin space before a unit, in the form that doesn't break a line

_WORDS = (
    "no one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()

_METRICS = {
    "accuracy": ("accuracy", "the share that was answered right"),
    "balanced_accuracy": ("balanced accuracy", "the share answered right, each class counting the same"),
    "f1_macro": ("F1, mean over classes", "how well finding and not confusing go together, each class the same"),
    "roc_auc": ("ROC AUC", "how often a picture of the class gets a higher probability than one that is not"),
    "average_precision": ("average precision", "precision averaged over all thresholds"),
    "log_loss": ("log loss", "how much surprise the probabilities leave; smaller is better, 0 is perfect"),
    "brier": ("Brier score", "mean squared distance of the probabilities from the truth; smaller is better"),
    "ece": ("calibration error (ECE)", "how far, on average, the stated probability is from the share that is right"),
    "mean_cost": ("mean cost", "what an answer costs on average, in the unit of the stated costs"),
    "rmse": ("typical error (RMSE)", "root of the mean squared error, in the target's unit"),
    "mae": ("mean error (MAE)", "mean absolute error, in the target's unit"),
    "r2": ("R²", "the share of the target's variance that is explained"),
}
_SHARES = {"accuracy", "balanced_accuracy", "ece", "precision", "recall"}
_WITHOUT_TWINS = "_without_twins"

# Control characters, bidirectional overrides, invisible format characters and lone surrogates: what can move, hide or
# fake text on a page or a terminal. The joiners U+200C and U+200D stay: Persian and emoji are spelt with them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def decimals(half_width: float) -> int:
    """How many decimals a number with this ± earns: 1 at ± 1, none at ± 5, two at ± 0.1.

    The rounding step is at most a quarter of the half width, so that rounding adds nothing to the doubt.
    """
    if not math.isfinite(half_width) or half_width <= 0:
        return 1
    return min(6, max(0, math.ceil(-math.log10(half_width / 4))))


def digits_for(low: float, high: float) -> int:
    """Decimals that the interval from `low` to `high` earns."""
    return decimals((high - low) / 2)


def number(value: float, low: float | None = None, high: float | None = None) -> str:
    """A plain number with the digits that its interval earns.

    Example:
        >>> number(0.08123, 0.06, 0.10)
        '0.081'
    """
    if not math.isfinite(value):
        return "unknown"
    digits = 3 if low is None or high is None else digits_for(low, high)
    return _signed(f"{value:,.{digits}f}")


def percent(share: float, low: float | None = None, high: float | None = None, *, sign: bool = True) -> str:
    """A share of 1 as a percentage, with the digits that its interval earns.

    Less than all is never rounded up to 100, more than nothing never down to 0.

    Example:
        >>> percent(0.974, 0.961, 0.983)
        '97.4\u202f%'
    """
    unit = NARROW_SPACE + "%" if sign else ""
    if not math.isfinite(share):
        return "unknown"
    value = share * 100
    if low is None or high is None:
        digits = 0 if math.isclose(value, round(value), abs_tol=1e-9) else 1
    else:
        digits = digits_for(low * 100, high * 100)
    while digits < 4 and 1e-6 < share < 1 - 1e-6 and float(f"{value:.{digits}f}") in (0.0, 100.0):
        digits += 1
    shown = f"{value:,.{digits}f}"
    return _signed(f"{value:.0f}" if float(shown.replace(",", "")) in (0.0, 100.0) else shown) + unit


def percent_range(low: float, high: float, between: str = " … ", *, sign: bool = True) -> str:
    """An interval of shares, the unit said once: "96.1 … 98.3 %"."""
    digits = digits_for(low * 100, high * 100)
    ends = [_signed(f"{end * 100:.{digits}f}").replace(f"100.{'0' * digits}", "100") for end in (low, high)]
    return between.join(ends) + (NARROW_SPACE + "%" if sign else "")


def points(difference: float, low: float | None = None, high: float | None = None, *, unit: bool = True) -> str:
    """A difference of two shares, in percentage points: "2.3 points"."""
    shown = percent(difference, low, high, sign=False)
    return f"{shown} point{'' if shown in ('1', '1.0') else 's'}" if unit else shown


def is_share(metric: str) -> bool:
    """Whether the metric is a share of 1 that is said in per cent."""
    return metric.removesuffix(_WITHOUT_TWINS) in _SHARES


def score_text(metric: str, score: Score) -> str:
    """The value of a score in its unit, with the digits that it earns."""
    say = percent if is_share(metric) else number
    return say(score.score, score.low, score.high)


def score_range(metric: str, score: Score, between: str = " … ") -> str:
    """The 95 % interval of a score in its unit, the unit said once: "96.1 … 98.3 %"."""
    if is_share(metric):
        return percent_range(score.low, score.high, between)
    return between.join(number(end, score.low, score.high) for end in (score.low, score.high))


def typical(score: Score) -> str:
    """A plain number of a score, in three digits where it has no interval because all are the same."""
    return number(score.score, score.low, score.high) if score.high > score.low else f"{score.score:,.3g}"


def metric_name(metric: str) -> str:
    """The plain name of a metric: "balanced accuracy"."""
    base = metric.removesuffix(_WITHOUT_TWINS)
    name = _METRICS.get(base, (base.replace("_", " "), ""))[0]
    return name + (", without near-twins" if base != metric else "")


def metric_meaning(metric: str) -> str:
    """What a metric says, for a title attribute; empty for one that is not known."""
    return _METRICS.get(metric.removesuffix(_WITHOUT_TWINS), ("", ""))[1]


def count(n: int) -> str:
    """A count in digits, thousands apart: "1,797"."""
    return f"{n:,}"


def in_words(n: int) -> str:
    """A small count as a word ("fourteen"), a larger one in digits."""
    return _WORDS[n] if 0 <= n < len(_WORDS) else count(n)


def count_of(part: int, whole: int) -> str:
    """A small part of a whole: "fourteen of 539"."""
    return f"{'none' if part == 0 else in_words(part)} of {count(whole)}"


def plural(n: int, noun: str, nouns: str | None = None, *, words: bool = False) -> str:
    """A count with its noun: "1 picture", "2 pictures", with `words` "two pictures"."""
    return f"{in_words(n) if words else count(n)} {noun if n == 1 else nouns or noun + 's'}"


def duration(seconds: float) -> str:
    """A time in words: "0.4 s", "42 s", "2 min 10 s", "1 h 5 min", "2 d 3 h"."""
    if not math.isfinite(seconds) or seconds < 0:
        return "unknown"
    if seconds < 9.95:
        return f"{seconds:.1f} s" if seconds >= 0.05 or seconds == 0 else f"{seconds * 1000:.0f} ms"
    whole = round(seconds)
    for size, unit, part_size, part_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // part_size
            return f"{whole // size} {unit}" + (f" {rest} {part_unit}" if rest else "")
    return f"{whole} s"


def file_size(n_bytes: int) -> str:
    """A size in decimal units: "13.6 MB"."""
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if n_bytes >= size:
            value = n_bytes / size
            return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"
    return plural(n_bytes, "byte")


def joined(items: Sequence[str], last: str = "and") -> str:
    """A list as a sentence has it: "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def capital(sentence: str) -> str:
    """The sentence with a capital first letter, the rest as it was."""
    return sentence[:1].upper() + sentence[1:]


def visible(text: str) -> str:
    r"""The text with everything that could move, hide or fake other text written out as an escape.

    For names that others chose: a file called "a\x1b[2J" mustn't clear a terminal, an override mustn't turn a suffix.

    Example:
        >>> visible("photo\u202egpj.exe")
        'photo\\u202egpj.exe'
    """
    return _UNSAFE.sub(lambda found: _escape(found.group()), text)


def text_width(text: str) -> int:
    """Columns that the text takes: two for a wide character, none for a combining one."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def shortened(text: str, columns: int) -> str:
    """The text with its middle left out where it is wider than `columns`: start and suffix of a path both stay."""
    if text_width(text) <= columns:
        return text
    head, tail, room = "", "", columns - 1
    while text_width(head + text[len(head)]) <= room // 2:
        head += text[len(head)]
    while text_width(text[-len(tail) - 1] + tail) <= room - text_width(head):
        tail = text[-len(tail) - 1] + tail
    return f"{head}…{tail}"


def opening(text: str, most: int) -> str:
    """The beginning of a text on one line, in so many characters at most, to call it by.

    Example:
        >>> opening("Free  entry!\\nText WIN", 14), opening("Hi", 14)
        ('Free entry! T…', 'Hi')
    """
    words = " ".join(text[: 4 * most].split())
    return words if len(words) <= most and len(text) <= 4 * most else words[: most - 1] + "…"


def _escape(char: str) -> str:
    """One character written out; a byte that was no UTF-8 (kept by the file system as a surrogate) as that byte."""
    code = ord(char)
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _signed(shown: str) -> str:
    """A minus sign of full width, and none before a zero."""
    if not shown.startswith("-"):
        return shown
    return "−" + shown[1:] if any(char in "123456789" for char in shown) else shown[1:]
