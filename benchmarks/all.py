"""Run every benchmark, one after the other, and write the tables; some two hours on two cores.

python benchmarks/all.py DATA_DIR     (with folders simpsons_seed, trashnet, flowers128; what is missing is left out)
"""

import argparse
import subprocess
from pathlib import Path

from ledger import PYTHON, ROOT

SETS = ("simpsons_seed", "trashnet", "flowers128")
ACCURATE = ("trashnet", "flowers128")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--pip-args", default="", help="for the fresh installs")
    stated = parser.parse_args()
    for command in plan(stated.data_dir.resolve(), stated.pip_args):
        print("$ python", *command, flush=True)
        subprocess.run([str(PYTHON), *command], cwd=ROOT, check=True)


def plan(data_dir: Path, pip_args: str) -> list[list[str]]:
    """The commands; what is quick or wanted most comes first."""
    paths = [str(data_dir / name) for name in SETS if (data_dir / name).is_dir()]
    if not paths:
        raise SystemExit(f"{data_dir} has none of {', '.join(SETS)}")
    commands = [["talk_effect.py", path] for path in paths]
    commands += [["pictures_accuracy.py", path] for path in paths]
    commands += [["pictures_speed.py", path] for path in paths]
    commands += [["cold_start.py", paths[-1]], ["install_size.py", f"--pip-args={pip_args}"]]
    commands += [["pictures_accuracy.py", path, "--preset", "accurate"] for path in paths if path.endswith(ACCURATE)]
    commands += [["pictures_scale.py", paths[0]], ["make_tables.py"]]
    return [[f"benchmarks/{name}", *words] for name, *words in commands]


if __name__ == "__main__":
    main()
