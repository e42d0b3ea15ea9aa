"""What `bottega words` can be told, flag by flag, and which go together."""

from typing import Annotated, Any

import typer

from bottega.errors import BottegaError

__all__ = [
    "Analogies", "Between", "Bias", "Dims", "Epochs", "Exact", "Explain", "Half", "Json", "Limit", "Lists", "MapOf",
    "Near", "Number", "Odd", "Output", "Pairs", "Question", "Seed", "Similarity", "Train", "Vectors",
    "one_mode", "refuse_idle",
]  # fmt: skip

MEANT_FOR = {  # flags that only some modes read
    "-o": ("map", "bias", "train"),
    "--lists": ("bias",),
    "--explain": ("question", "between"),
    "--dims": ("train",),
    "--epochs": ("train",),
}


def _flag(metavar: str, help: str, *names: str) -> Any:
    return typer.Option(*names, metavar=metavar, show_default=False, help=help)


_VECTORS = "word2vec, GloVe or fastText .vec; .gz, .zip; .bottega."
_QUESTION = 'As in "Rome - Italy + France"; none for a prompt.'
Vectors = Annotated[str | None, typer.Argument(metavar="VECTORS", show_default=False, help=_VECTORS)]
Question = Annotated[list[str] | None, typer.Argument(metavar="QUESTION", show_default=False, help=_QUESTION)]
Near = Annotated[str | None, _flag("WORD", "The nearest words.")]
Odd = Annotated[str | None, _flag("WORDS", "Which of these fits the others least.")]
Similarity = Annotated[tuple[str, str] | None, _flag("A B", "The cosine of two words.")]
Between = Annotated[tuple[str, str] | None, _flag("A B", "What lies in the middle of two.")]
MapOf = Annotated[str | None, _flag("WORDS.txt", "Draw words on a plane; with -o.")]
Analogies = Annotated[str | None, _flag("FILE", "Score questions such as questions-words.txt.")]
Pairs = Annotated[str | None, _flag("FILE", "Compare cosines with people's judgements.")]
Bias = Annotated[bool, typer.Option("--bias", help="What is associated with whom (WEAT); a plot with -o.")]
Lists = Annotated[str | None, _flag("LISTS.json", "Word lists of your own for --bias.")]
Train = Annotated[str | None, _flag("TEXT.txt", "Train vectors on a text; with -o.")]
Output = Annotated[str | None, _flag("FILE", "Where a map, plot or training goes.", "-o")]
Number = Annotated[int, typer.Option("-n", metavar="N", help="Answers of each rule.")]
Explain = Annotated[bool, typer.Option("--explain", help="Which words pull each answer.")]
Exact = Annotated[bool, typer.Option("--case-sensitive", help="Take the exact form alone.")]
Limit = Annotated[int | None, _flag("N", "Read only the first N words.")]
Half = Annotated[bool, typer.Option("--float16", help="Keep the numbers in half the room.")]
Dims = Annotated[int | None, _flag("D", "Numbers a word, for --train; by default 100.")]
Epochs = Annotated[int | None, _flag("N", "Times over the text, for --train; by default 5, more if it is short.")]
Seed = Annotated[int, typer.Option(metavar="N", help="For --train, --map and --bias.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def one_mode(stated: dict[str, Any]) -> str:
    """The one thing that was asked; a training may be scored by analogies and pairs beside."""
    modes = [name for name, value in stated.items() if value is not None]
    if "train" in modes:
        modes = [name for name in modes if name not in ("analogies", "pairs")]
    if len(modes) > 1:
        named = " and ".join(map(_said, modes))
        raise BottegaError(found=named, expected="one thing at a time", fix="ask one after the other")
    return modes[0] if modes else "prompt"


def refuse_idle(mode: str, flags: dict[str, Any]) -> None:
    """A flag that would change nothing was meant for something else."""
    for name, value in flags.items():
        modes = MEANT_FOR.get(name)
        is_idle = mode not in modes if modes is not None else mode == "train"
        if is_idle and value not in (None, False):
            meant = "vectors that are there" if modes is None else " or ".join(map(_said, modes))
            raise BottegaError(
                found=f"{name} with {_said(mode)}", expected=f"{name} is for {meant}", fix=f"leave out {name}"
            )


def _said(mode: str) -> str:
    return {"question": "a question", "prompt": "a prompt"}.get(mode, f"--{mode.replace('_', '-')}")
