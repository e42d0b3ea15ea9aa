"""How large the two installs are: fresh virtual environments, the sum of what they hold beyond pip itself.

python benchmarks/install_size.py [--pip-args=...]     (words for pip that choose a build of torch)
"""

import argparse
import shlex
import subprocess
import tempfile
import time
import venv
from pathlib import Path

from ledger import RESULTS, ROOT, append

INSTALLS = {"base": str(ROOT), "train": f"{ROOT}[train]"}
ALLOWED_MB = {"base": 220, "train": 1350}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pip-args", default="")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    for extra, what in INSTALLS.items():
        with tempfile.TemporaryDirectory() as folder:
            venv.create(folder, with_pip=True)
            before = size(Path(folder))
            start = time.perf_counter()
            pip = [
                str(Path(folder) / "bin" / "python"),
                "-m",
                "pip",
                "install",
                "-q",
                "-c",
                str(ROOT / "constraints.txt"),
            ]
            subprocess.run([*pip, *shlex.split(stated.pip_args), what], check=True)
            seconds = time.perf_counter() - start
            packages = sorted(path.name.split("-")[0] for path in Path(folder).rglob("*.dist-info"))
            largest = sorted(((size(path), path.name) for path in site(Path(folder)).iterdir()), reverse=True)[:8]
            n_bytes = size(Path(folder)) - before
            record = {
                "extra": extra,
                "bytes": n_bytes,
                "allowed_mb": ALLOWED_MB[extra],
                "n_packages": len(packages),
                "packages": packages,
                "largest_mb": {name: round(n / 1e6, 1) for n, name in largest},
                "install_seconds": round(seconds, 1),
            }
        append("install_size", stated.results, record)
        print(f"{extra}: {n_bytes / 1e6:.0f} MB of {ALLOWED_MB[extra]} allowed; {record['largest_mb']}")


def site(environment: Path) -> Path:
    return next(environment.glob("lib*/**/site-packages"))


def size(path: Path) -> int:
    """Bytes of all files, compiled ones too; links count nothing."""
    if path.is_file() and not path.is_symlink():
        return path.stat().st_size
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file() and not one.is_symlink())


if __name__ == "__main__":
    main()
