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
    dims: flags.Dims = None,
    epochs: flags.Epochs = None,
    seed: flags.Seed = 0,
    json: flags.Json = False,
) -> int:
    """Ask word vectors for sums of words and neighbours, and test them."""
    from bottega.cli.words_modes import Asked, answer

    stated = {
        "question": " ".join(question) if question else None, "near": near, "odd_one_out": odd_one_out,
        "similarity": similarity, "between": between, "map": map, "analogies": analogies, "pairs": pairs,
        "bias": bias or None, "train": train,
    }  # fmt: skip
    mode = flags.one_mode(stated)
    flags.refuse_idle(
        mode,
        {"VECTORS": vectors, "-o": output, "--lists": lists, "--explain": explain, "--dims": dims, "--epochs": epochs,
         "--limit": limit, "--float16": half, "--case-sensitive": case_sensitive},
    )  # fmt: skip
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
    record = answer(mode, asked, vectors, limit=limit, half=half, case_sensitive=case_sensitive)
    if isinstance(record, int):
        return record
    if json:
        terminal.say_json(record)
    else:
        from bottega.cli.words_lines import lines_of

        terminal.say(*lines_of(record, explain=explain))
    return 0
