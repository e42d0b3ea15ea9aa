"""Walk through bottega on a folder of pictures: the digits that scikit-learn carries, written as PNG files."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

N_PER_CLASS = 120
SIDE = 64  # pixels; the originals are 8 × 8, smaller than any camera's picture


def main() -> None:
    started = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="bottega-demo-"))
    write_digits(home / "digits", labels=range(10), n_per_class=N_PER_CLASS, side=SIDE)
    print(f"Wrote {N_PER_CLASS} pictures of each digit to {home / 'digits'}\n")
    bottega("look", "digits", home=home)
    bottega("train", "digits", home=home)
    model = next((home / "runs").glob("digits-*/model.onnx"))
    bottega("evaluate", str(model.relative_to(home)), "digits", home=home)
    bottega("predict", str(model.relative_to(home)), "digits/7/0003.png", home=home)
    print(f"\nDone in {time.monotonic() - started:.0f} s. The report: {model.parent / 'report.html'}")


def write_digits(folder: Path, *, labels: Iterable[int], n_per_class: int, side: int) -> Path:
    """Write scikit-learn's grey 8 × 8 digits as PNG pictures, one sub-folder a class.

    Args:
        folder: is made, with its parents.
        labels: which digits.
        n_per_class: how many pictures of each at most; there are about 180.
        side: of the written pictures, in pixels.
    """
    digits = load_digits()
    for label in labels:
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        for i, pixels in enumerate(digits.images[digits.target == label][:n_per_class]):
            picture = Image.fromarray((255 - pixels * 15.9375).astype(np.uint8))
            picture.resize((side, side), Image.Resampling.BICUBIC).save(folder / str(label) / f"{i:04}.png")
    return folder


def bottega(*words: str, home: Path) -> None:
    print("$ bottega", " ".join(words), flush=True)
    result = subprocess.run([sys.executable, "-m", "bottega.cli.main", *words], cwd=home, check=False)
    print(flush=True)
    if result.returncode:
        sys.exit(f"bottega {words[0]} ended with {result.returncode}")


if __name__ == "__main__":
    main()
