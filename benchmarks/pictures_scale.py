"""How it grows: training on N pictures made from real ones, its wall time, its parts, and its largest memory.

python benchmarks/pictures_scale.py DATA --name simpsons_seed --n 2500 10000 100000     (the last takes half an hour)
Time for each picture should be flat, and memory above the features too.
"""

import argparse
import random
import tempfile
from pathlib import Path
from typing import Any

from ledger import RESULTS, append, train
from PIL import Image

QUALITY = 90  # of the JPEG files
SMALLEST_CROP, LARGEST_CROP = 0.5, 0.85  # of each side: far enough apart not to be twins of each other


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a folder with one sub-folder a class, or with train/CLASS")
    parser.add_argument("--name", help="of the data in the records; by default the folder's")
    parser.add_argument("--n", type=int, nargs="+", default=[2500, 10000, 100000])
    parser.add_argument("--seed", type=int, default=0, help="of the crops")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    for n in stated.n:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            make_pictures(stated.data, home / "made", n, stated.seed)
            said, ran = train(home / "made", home, cache=home / "cache", name="run")
            record = {
                "data": stated.name or stated.data.name,
                "n": n,
                "seed": stated.seed,
                "seconds": round(ran.seconds, 2),
                "cpu_seconds": round(ran.cpu_seconds, 2),
                "milliseconds_each": round(1000 * ran.seconds / n, 3),
                "steps": said["seconds"],
                "candidates": {one["name"]: one["train_seconds"] for one in said["candidates"]},
                "peak_bytes": ran.peak_bytes,
                "cache_bytes": sum(path.stat().st_size for path in (home / "cache").rglob("*") if path.is_file()),
                "n_groups": said["split"]["n_groups"],
                "test": said["test"],
            }
        append("pictures_scale", stated.results, record)
        print(record, flush=True)


def make_pictures(data: Path, target: Path, n: int, seed: int) -> None:
    """Write n pictures: seeded crops of the real ones, each scaled back to the size of what it was cut from."""
    originals = labelled(data)
    draw = random.Random(seed)
    for i in range(n):
        path, label = originals[i % len(originals)]
        folder = target / label
        folder.mkdir(parents=True, exist_ok=True)
        crop(path, draw).save(folder / f"{i:06}.jpg", quality=QUALITY)


def labelled(data: Path) -> list[tuple[Path, str]]:
    """Every JPEG with its class, in the order of a fixed shuffle, so that any N has all classes."""
    root = data / "train" if (data / "train").is_dir() else data
    found = [(path, path.parent.name) for path in sorted(root.glob("*/*.jpg"))]
    random.Random(0).shuffle(found)
    return found


def crop(path: Path, draw: random.Random) -> Any:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    share = draw.uniform(SMALLEST_CROP, LARGEST_CROP)
    width, height = round(share * picture.width), round(share * picture.height)
    left, top = draw.randint(0, picture.width - width), draw.randint(0, picture.height - height)
    piece = picture.crop((left, top, left + width, top + height)).resize(picture.size, Image.Resampling.BICUBIC)
    return piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if draw.random() < 0.5 else piece


if __name__ == "__main__":
    main()
