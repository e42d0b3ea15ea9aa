"""The one error that a user meets: what was found, what was expected, how to fix it."""

import difflib
from collections.abc import Iterable, Sequence

__all__ = ["BottegaError", "StoppedError", "UnmetBarError", "found_in", "nearest_name"]


class BottegaError(ValueError):
    """Something in the user's input or surroundings stops the work.

    Args:
        found: what was received, the value by `repr`; one sentence.
        expected: what would have worked; one sentence.
        fix: what to do now, a command where there is one.
        where: file, row or column, when the place is known.
        rejected: files that were refused on the way, as `{"path", "reason"}` records.
        suspects: what was noticed on the way, as suspect records.
    """

    exit_status = 2

    def __init__(
        self,
        *,
        found: str,
        expected: str,
        fix: str,
        where: str | None = None,
        rejected: Sequence[dict[str, str]] = (),
        suspects: Sequence[dict[str, str]] = (),
    ) -> None:
        self.found = found
        self.expected = expected
        self.fix = fix
        self.where = where
        self.rejected = list(rejected)
        self.suspects = list(suspects)
        place = f" ({where})" if where else ""
        super().__init__(f"found: {found}{place}\nexpected: {expected}\nfix: {fix}")

    def to_json(self) -> dict[str, object]:
        """The error document of the JSON contract (docs/json.md)."""
        error = {"found": self.found, "expected": self.expected, "fix": self.fix, "where": self.where}
        return {"error": error, "rejected": self.rejected, "suspects": self.suspects}


class UnmetBarError(BottegaError):
    """A bar that the user stated (`--at-least`, `--at-most`) was not met."""

    exit_status = 3


class StoppedError(BottegaError):
    """The user stopped the work; the best so far was kept."""

    exit_status = 130


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that is spelt most like `name`, or None when none comes near.

    Example:
        >>> nearest_name("spede", ["speed", "seed"])
        'speed'
    """
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def found_in(names: Sequence[str], *, limit: int = 5) -> str:
    """List at most `limit` names by `repr`, and say how many were left out.

    Example:
        >>> found_in(["a", "b", "c"], limit=2)
        "'a', 'b' and 1 more"
    """
    shown = ", ".join(repr(name) for name in names[:limit])
    rest = len(names) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown
