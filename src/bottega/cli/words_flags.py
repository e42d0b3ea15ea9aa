"""What `bottega words` can be told, flag by flag."""

from typing import Annotated, Any

import typer

__all__ = [
    "Analogies", "Between", "Bias", "Dims", "Epochs", "Exact", "Explain", "Half", "Json", "Limit", "Lists", "MapOf",
    "Near", "Number", "Odd", "Output", "Pairs", "Question", "Seed", "Similarity", "Train", "Vectors",
]  # fmt: skip


def _flag(metavar: str, help: str, *names: str) -> Any:
    return typer.Option(*names, metavar=metavar, show_default=False, help=help)


_VECTORS = "word2vec, GloVe or fastText .vec; .gz, .zip; .bottega."
_QUESTION = 'As in "Rome - Italy + France"; none for a prompt.'
Vectors = Annotated[str | None, typer.Argument(metavar="VECTORS", show_default=False, help=_VECTORS)]
Question = Annotated[list[str] | None, typer.Argument(metavar="[QUESTION]", show_default=False, help=_QUESTION)]
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
Dims = Annotated[int, typer.Option(metavar="D", help="Numbers a word, for --train.")]
Epochs = Annotated[int, typer.Option(metavar="N", help="Times over the text, for --train.")]
Seed = Annotated[int, typer.Option(metavar="N", help="For --train, --map and --bias.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
