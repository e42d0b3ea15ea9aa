"""The call that does what `bottega words` was asked for."""

from dataclasses import dataclass, replace
from typing import Any

from bottega.cli import terminal
from bottega.problem.records import Progress

__all__ = ["Asked", "answer"]

ABOUT_ONE_FILE = ("analogies", "pairs", "bias", "map")


@dataclass(frozen=True)
class Asked:
    """The flags that some modes read."""

    stated: dict[str, Any]
    output: str | None
    lists: str | None
    n: int
    seed: int
    dims: int | None
    epochs: int | None


def answer(
    mode: str,
    asked: Asked,
    vectors: str | None,
    *,
    limit: int | None,
    half: bool,
    case_sensitive: bool,
) -> Any:
    """The record of what was asked; an exit status after a prompt, which has said everything itself."""
    value: Any = asked.stated.get(mode)
    with terminal.live() as progress:
        if mode == "train":
            return _trained(asked, progress)
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

        return prompt(opened, asked.n)
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


def _trained(asked: Asked, progress: Progress) -> Any:
    from bottega.workflow.words_train import Recipe, train_words

    recipe = Recipe(epochs=asked.epochs, seed=asked.seed)
    if asked.dims is not None:
        recipe = replace(recipe, n_dims=asked.dims)
    tests = {name: asked.stated[name] for name in ("analogies", "pairs")}
    return train_words(asked.stated["train"], asked.output or "", recipe=recipe, **tests, progress=progress)


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
