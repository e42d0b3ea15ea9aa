"""How often vectors must go over a text: their agreement with people's judgements, and how alike all words still are.

python benchmarks/words_train.py TEXT wordsim353.tsv --epochs 5 20 40
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from ledger import RESULTS, append, bottega, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--epochs", type=int, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    for epochs in stated.epochs:
        for seed in stated.seeds:
            with tempfile.TemporaryDirectory() as folder:
                record = measure(stated.text.resolve(), stated.pairs.resolve(), epochs, seed, Path(folder))
            append("words_train", stated.results, record)
            print(epochs, seed, record["mean_cosine"], record["spearman"], record["seconds"], flush=True)


def measure(text: Path, pairs: Path, epochs: int, seed: int, home: Path) -> dict[str, Any]:
    """Two whole processes: the training, and the comparison."""
    recipe = ("--epochs", str(epochs), "--seed", str(seed))
    trained = run(bottega("words", "--train", str(text), "-o", "own.bottega", *recipe, "--json"), cwd=home).document()
    judged = run(bottega("words", "own.bottega", "--pairs", str(pairs), "--json"), cwd=home).document()
    kept = {key: trained[key] for key in ("n_tokens", "n_words", "seconds", "mean_cosine", "recipe")}
    scores = {key: judged[key] for key in ("spearman", "spearman_unknown_zero", "n_unknown")}
    return {"data": text.name, "pairs": pairs.name, "epochs": epochs, "seed": seed, **kept, **scores}


if __name__ == "__main__":
    main()
