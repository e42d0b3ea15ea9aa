"""`bottega words`: questions to word vectors, and what the vectors are worth."""

from bottega.cli import terminal
from bottega.cli import words_flags as flags
from bottega.errors import BottegaError

__all__ = ["words"]


def words(
    vectors: flags.Vectors = None,
    question: flags.Question = None,
    near: flags.Near = None,
    odd_one_out: flags.Odd = None,
    similarity: flags.Similarity = None,
    between: flags.Between = None,
    map: flags.MapOf = None,
    analogies: flags.Analogies = None,
    pairs: flags.Pairs = None,
    bias: flags.Bias = False,
    lists: flags.Lists = None,
    train: flags.Train = None,
    output: flags.Output = None,
    n: flags.Number = 10,
    explain: flags.Explain = False,
    case_sensitive: flags.Exact = False,
    limit: flags.Limit = None,
    half: flags.Half = False,
    dims: flags.Dims = 100,
    epochs: flags.Epochs = 5,
    seed: flags.Seed = 0,
    json: flags.Json = False,
) -> int:
    """Ask word vectors: sums of words, neighbours, and what they are worth."""
    from bottega.cli.words_modes import Asked, answer, one_mode

    stated = {
        "question": " ".join(question) if question else None, "near": near, "odd_one_out": odd_one_out,
        "similarity": similarity, "between": between, "map": map, "analogies": analogies, "pairs": pairs,
        "bias": bias or None, "train": train,
    }  # fmt: skip
    mode = one_mode(stated)
    if vectors is None and mode != "train":
        raise BottegaError(
            found="no VECTORS", expected="a file of word vectors", fix='bottega words glove.txt "Rome - Italy + France"'
        )
    if mode in ("map", "train") and output is None:
        ending = "map.html" if mode == "map" else "vectors.bottega"
        raise BottegaError(found=f"--{mode} without -o", expected="where it goes", fix=f"-o {ending}")
    if mode == "prompt" and json:
        raise BottegaError(
            found="--json without a question", expected="one question", fix='"Rome - Italy + France" --json'
        )
    asked = Asked(stated, output, lists, n, seed, dims, epochs)
    with terminal.live() as progress:
        record = answer(mode, asked, vectors, limit=limit, half=half, case_sensitive=case_sensitive, progress=progress)
    if record is not None and json:
        terminal.say_json(record)
    elif record is not None:
        from bottega.cli.words_lines import lines_of

        terminal.say(*lines_of(record, explain=explain))
    return 0
