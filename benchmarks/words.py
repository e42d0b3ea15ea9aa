"""How fast a question to 3,000,000 × 300 word vectors is answered, and what it holds in memory; gensim beside it.

python benchmarks/words.py FOLDER     (12 GB of free disk in FOLDER; what is made there is deleted at the end)
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ledger import PYTHON, RESULTS, append, run

N_QUESTIONS = 15
N_BATCH = 1000
N_PRODUCTS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--words", type=int, default=3_000_000)
    parser.add_argument("--dims", type=int, default=300)
    parser.add_argument("--child", choices=sorted(CHILDREN))
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    if stated.child:
        print(json.dumps(CHILDREN[stated.child](stated.folder)))
        return
    folder = stated.folder.resolve() / "words-benchmark"
    folder.mkdir()
    try:
        make(folder / "made-up.bin", stated.words, stated.dims)
        found: dict[str, Any] = {}
        for child in ("gensim", "gensim_mapped", "bottega", "bottega_opened", "bottega_batch"):
            command = [str(PYTHON), __file__, str(folder), "--child", child]
            found[child] = run(command, cwd=folder).document()
            print(child, found[child], flush=True)
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    append("words", stated.results, {"n_words": stated.words, "n_dims": stated.dims, **found, "ratios": ratios(found)})
    print(ratios(found))


def ratios(found: dict[str, Any]) -> dict[str, float]:
    """What the targets speak of."""
    theirs, ours = found["gensim_mapped"], found["bottega_opened"]
    return {
        "conversion_over_load": found["bottega"]["convert_seconds"] / found["gensim"]["load_seconds"],
        "opening_over_mapped_load": ours["open_seconds"] / theirs["load_seconds"],
        "question_both_rules_over_most_similar": ours["ask_seconds"] / theirs["ask_seconds"],
        "question_one_rule_over_most_similar": ours["ask_cosadd_seconds"] / theirs["ask_seconds"],
        "anonymous_over_loaded": ours["anonymous_bytes"] / found["gensim"]["anonymous_bytes"],
        "batch_over_product": found["bottega_batch"]["share_of_product"],
    }


def make(path: Path, n_words: int, n_dims: int) -> None:
    """word2vec binary: different words of 2 to 20 letters, most of 6 to 12; normal numbers, the same for a seed."""
    rng = np.random.default_rng(0)
    letters = np.frombuffer(b"etaoinshrdlucmfwypvbgkjqxz", dtype=np.uint8)
    chances = 1 / np.arange(3, 29)
    with path.open("wb") as file:
        file.write(f"{n_words} {n_dims}\n".encode())
        for first in range(0, n_words, 20_000):
            n = min(20_000, n_words - first)
            lengths = np.clip(rng.normal(8, 3, n).round(), 2, 20).astype(int)
            drawn = rng.choice(letters, (n, 20), p=chances / chances.sum())
            rows = rng.standard_normal((n, n_dims), dtype=np.float32)
            rows *= rng.uniform(0.5, 3, (n, 1)).astype(np.float32)
            for i in range(n):  # the row's number makes each word the only one of its kind
                file.write(drawn[i, : lengths[i]].tobytes() + b"%x " % (first + i) + rows[i].tobytes())


def memory() -> dict[str, int]:
    """Anonymous and file-backed pages of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {
        line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon", "RssFile"))
    }
    return {"anonymous_bytes": found["RssAnon"], "file_backed_bytes": found["RssFile"]}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


def asked(words: list[str], ask: Callable[[str, str, str], Any]) -> dict[str, Any]:
    """The first question, then the median of the others."""
    seconds = [timed(lambda i=i: ask(*words[3 * i : 3 * i + 3]))[0] for i in range(N_QUESTIONS)]  # type: ignore[misc]
    return {"first_seconds": seconds[0], "seconds": statistics.median(seconds[1:])}


def some_words(folder: Path) -> list[str]:
    """Words of the file, far from each other."""
    from bottega.vectors.vector_file import open_file

    file = open_file(folder / "made-up.bin.bottega")
    rows = np.random.default_rng(1).integers(0, file.n_words, 3 * N_BATCH)
    return [file.vocabulary.word(int(row)) for row in rows]


def _gensim(folder: Path) -> dict[str, Any]:
    from gensim.models import KeyedVectors

    load, vectors = timed(lambda: KeyedVectors.load_word2vec_format(folder / "made-up.bin", binary=True))
    words = [vectors.index_to_key[i * 1009 % len(vectors)] for i in range(3 * N_QUESTIONS)]
    found = asked(words, lambda a, b, c: vectors.most_similar(positive=[a, b], negative=[c]))
    used = memory()
    vectors.save(str(folder / "made-up.kv"))
    return {"load_seconds": load, "ask_seconds": found["seconds"], "first_seconds": found["first_seconds"], **used}


def _gensim_mapped(folder: Path) -> dict[str, Any]:
    from gensim.models import KeyedVectors

    load, vectors = timed(lambda: KeyedVectors.load(str(folder / "made-up.kv"), mmap="r"))
    words = [vectors.index_to_key[i * 1009 % len(vectors)] for i in range(3 * N_QUESTIONS)]
    found = asked(words, lambda a, b, c: vectors.most_similar(positive=[a, b], negative=[c]))
    return {"load_seconds": load, "ask_seconds": found["seconds"], "first_seconds": found["first_seconds"], **memory()}


def _bottega(folder: Path) -> dict[str, Any]:
    from bottega.vectors.convert import open_vectors

    convert, file = timed(lambda: open_vectors(folder / "made-up.bin"))
    size = file.path.stat().st_size
    return {"convert_seconds": convert, "file_bytes": size, **memory()}


def _bottega_opened(folder: Path) -> dict[str, Any]:
    from bottega.vectors.algebra import ask
    from bottega.vectors.convert import open_vectors
    from bottega.vectors.rules import CosAdd
    from bottega.vectors.scan import search

    opening, file = timed(lambda: open_vectors(folder / "made-up.bin"))
    words = some_words(folder)
    both = asked(words, lambda a, b, c: ask(file, f"{a} - {b} + {c}"))

    def one_rule(a: str, b: str, c: str) -> Any:
        rows = [file.vocabulary.row(word) or 0 for word in (a, b, c)]
        total = np.array([1.0, -1.0, 1.0]) @ file.units(np.array(rows))
        unit = total / np.linalg.norm(total)
        return search(file, unit[None], [CosAdd(np.ones(1), 1.0)], 13)

    one = asked(words, one_rule)
    return {
        "open_seconds": opening,
        "ask_seconds": both["seconds"],
        "first_seconds": both["first_seconds"],
        "ask_cosadd_seconds": one["seconds"],
        **memory(),
    }


def _bottega_batch(folder: Path) -> dict[str, Any]:
    from bottega.vectors.scan import nearest_to_each
    from bottega.vectors.vector_file import open_file

    file = open_file(folder / "made-up.bin.bottega")
    rows = np.random.default_rng(2).integers(0, file.n_words, (N_BATCH, 3))
    targets = np.einsum("k,qkd->qd", np.array([1.0, -1.0, 1.0]), file.units(rows.reshape(-1)).reshape(N_BATCH, 3, -1))
    targets /= np.linalg.norm(targets, axis=1, keepdims=True)
    left, right = targets.astype(np.float32), np.ones((file.n_dims, 65_536), np.float32)
    products = [timed(lambda: left @ right)[0] for _ in range(N_PRODUCTS)]
    seconds, _ = timed(lambda: nearest_to_each(file, targets, 10, without=rows.tolist()))
    products += [timed(lambda: left @ right)[0] for _ in range(N_PRODUCTS)]  # before and after: the machine changes
    product = statistics.median(products) / right.shape[1] * file.n_words
    flops = 2 * N_BATCH * file.n_dims * file.n_words
    return {
        "seconds": seconds,
        "product_seconds": product,
        "gigaflops": flops / seconds / 1e9,
        "gemm_gigaflops": flops / product / 1e9,
        "share_of_product": product / seconds,
        **memory(),
    }


CHILDREN: dict[str, Callable[[Path], dict[str, Any]]] = {
    "gensim": _gensim,
    "gensim_mapped": _gensim_mapped,
    "bottega": _bottega,
    "bottega_opened": _bottega_opened,
    "bottega_batch": _bottega_batch,
}

if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
