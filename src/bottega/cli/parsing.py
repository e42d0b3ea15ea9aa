"""Read a verb's words by its signature, and say in our three lines what is wrong with them."""

import os
from importlib import import_module
from typing import Any

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # to look for some takes typer 20 ms of each start

import typer
from typer.main import get_command

from bottega.errors import BottegaError, found_in, nearest_name

__all__ = ["run_verb", "verb_command"]


def run_verb(verb: str, words: list[str]) -> int:
    """Parse the words and call the verb.

    Args:
        verb: name of a module in this folder that holds a function of the same name.
        words: what followed the verb.
    Returns:
        The exit status that the verb gives; 0 when it gives none.
    Raises:
        BottegaError: an unknown option (the nearest is named), a value of the wrong kind, a missing argument.
    """
    command = verb_command(verb)
    try:
        with command.make_context(f"bottega {verb}", list(words)) as context:
            status = command.invoke(context)
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.TyperException as error:
        raise _usage_error(error, command, verb, words) from error
    return status if isinstance(status, int) else 0


def verb_command(verb: str) -> Any:
    """The parser of one verb, with plain help: drawing boxes would double the time to the first letter."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(getattr(import_module(f"bottega.cli.{verb}"), verb))
    return get_command(app)


def _usage_error(error: Any, command: Any, verb: str, words: list[str]) -> BottegaError:
    options = sorted(name for param in command.params for name in param.opts if name.startswith("-"))
    wrong = getattr(error, "option_name", None)
    if wrong is not None and wrong not in options:
        near = nearest_name(wrong, options)
        return BottegaError(
            found=f"{verb} has no option {wrong!r}",
            expected=f"one of {found_in(options)}",
            fix=f"did you mean {near}?" if near else f"bottega {verb} --help says what each does",
        )
    for name in getattr(getattr(error, "param", None), "opts", ()):
        value = _value_after(name, words)
        if value is not None:
            wanted = error.message.removeprefix("Input should be ").partition(",")[0]
            return BottegaError(
                found=f"{name} {value!r}", expected=wanted, fix=f"bottega {verb} --help says what each takes"
            )
    usage = command.get_usage(error.ctx).removeprefix("Usage: ") if error.ctx else f"bottega {verb} [OPTIONS] ..."
    return BottegaError(
        found=error.format_message().rstrip(".").replace("\n\t", " "),
        expected=" ".join(usage.split()),
        fix=f"bottega {verb} --help says what each takes",
    )


def _value_after(name: str, words: list[str]) -> str | None:
    for word, following in zip(words, [*words[1:], ""], strict=False):
        if word == name:
            return following
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None
