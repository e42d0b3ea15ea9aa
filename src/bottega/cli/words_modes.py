"""What `bottega words` was asked for: one thing at a time, and the call that does it."""

from dataclasses import dataclass
from typing import Any

from bottega.cli import terminal
from bottega.errors import BottegaError
from bottega.problem.records import Progress

__all__ = ["Asked", "answer", "one_mode"]

ABOUT_ONE_FILE = ("analogies", "pairs", "bias", "map")


@dataclass(frozen=True)
class Asked:
    """The flags that some modes read."""

    stated: dict[str, Any]
    output: str | None
    lists: str | None
    n: int
    seed: int
    dims: int
    epochs: int


def one_mode(stated: dict[str, Any]) -> str:
    """The one thing that was asked; a training may be scored by analogies and pairs beside."""
    modes = [name for name, value in stated.items() if value is not None]
    if "train" in modes:
        modes = [name for name in modes if name not in ("analogies", "pairs")]
    if len(modes) > 1:
        named = " and ".join("a question" if mode == "question" else f"--{mode.replace('_', '-')}" for mode in modes)
        raise BottegaError(found=named, expected="one thing at a time", fix="ask one after the other")
    return modes[0] if modes else "prompt"


def answer(
    mode: str,
    asked: Asked,
    vectors: str | None,
    *,
    limit: int | None,
    half: bool,
    case_sensitive: bool,
    progress: Progress,
) -> Any:
    """The record of what was asked; None after a prompt, which has said everything itself."""
    value: Any = asked.stated.get(mode)
    if mode == "train":
        from bottega.workflow.words_train import Recipe, train_words

        recipe = Recipe(n_dims=asked.dims, epochs=asked.epochs, seed=asked.seed)
        tests = {name: asked.stated[name] for name in ("analogies", "pairs")}
        return train_words(value, asked.output or "", recipe=recipe, **tests, progress=progress)
    from bottega.workflow.words import ExpressionError, Words

    opened = Words(
        vectors or "",
        limit=limit,
        precision="float16" if half else "float32",
        case_sensitive=case_sensitive,
        progress=progress,
    )
    if mode in ABOUT_ONE_FILE:
        return _about(mode, asked, opened, case_sensitive, progress)
    if mode == "prompt":
        from bottega.cli.words_shell import prompt

        prompt(opened, asked.n)
        return None
    try:
        return {
            "question": lambda: opened.ask(value, k=asked.n),
            "near": lambda: opened.near(value, k=asked.n),
            "odd_one_out": lambda: opened.odd_one_out(value),
            "similarity": lambda: opened.similarity(*value),
            "between": lambda: opened.between(*value, k=asked.n),
        }[mode]()
    except ExpressionError as error:
        import sys

        from bottega.cli.words_lines import caret_lines

        terminal.say(*caret_lines(error.expression, error.column), stream=sys.stderr)
        raise


def _about(mode: str, asked: Asked, opened: Any, case_sensitive: bool, progress: Progress) -> Any:
    value = asked.stated[mode]
    if mode == "map":
        from bottega.workflow.words_map import map_words

        return map_words(opened.file, value, asked.output or "", seed=asked.seed, case_sensitive=case_sensitive)
    from bottega.workflow.words_scores import analogies, bias, pairs

    if mode == "analogies":
        return analogies(opened.file, value, progress=progress)
    if mode == "pairs":
        return pairs(opened.file, value)
    return bias(opened.file, lists=asked.lists, plot=asked.output, seed=asked.seed)
