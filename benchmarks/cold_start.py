"""How long the path is that a user feels: whole processes from start to exit, in turn, the median of 11.

python benchmarks/cold_start.py DATA --name trashnet     (DATA is trained on once, to have a file to ask)
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from ledger import PYTHON, RESULTS, append, bottega, in_turn, train

LARGE = ("predict", "bare engine")  # the others are smaller than the process that starts them
N_RUNS = 11
BARE = """
import sys
import numpy
import onnxruntime
from PIL import Image
options = onnxruntime.SessionOptions()
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
pixels = numpy.asarray(Image.open(sys.argv[2]).convert("RGB"))
print(session.run(None, {"image": pixels[None]})[0])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", help="of the data in the records; by default the folder's")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        train(stated.data, home, cache=home / "cache", name="asked")
        model, picture = str(home / "runs" / "asked" / "model.onnx"), home / "one.jpg"
        shutil.copyfile(min(stated.data.rglob("*.jpg")), picture)
        commands = {
            "bare interpreter": [str(PYTHON), "-c", "pass"],
            "import bottega": [str(PYTHON), "-c", "import bottega"],
            "help": bottega("--help"),
            "predict": bottega("predict", model, str(picture)),
            "bare engine": [str(PYTHON), "-c", BARE, model, str(picture)],
        }
        seconds, peaks = measure(commands, home)
    medians = {what: round(statistics.median(values), 4) for what, values in seconds.items()}
    record = {
        "data": stated.name or stated.data.name,
        "runs": N_RUNS,
        "median_seconds": medians,
        "import_seconds": round(medians["import bottega"] - medians["bare interpreter"], 4),
        "seconds": {what: [round(value, 4) for value in values] for what, values in seconds.items()},
        "peak_bytes": peaks,
    }
    append("cold_start", stated.results, record)
    print(medians, f"import: {record['import_seconds']} s")


def measure(commands: dict[str, list[str]], home: Path) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Seconds of each command, and the largest memory of those that are larger than this process."""
    ran = in_turn(commands, home, N_RUNS)
    peaks = {what: max(one.peak_bytes for one in ran[what]) for what in LARGE}
    seconds = {what: [one.seconds for one in found] for what, found in ran.items()}
    return seconds, peaks


if __name__ == "__main__":
    main()
