"""How large the two installs are: fresh virtual environments, the sum of what they hold beyond pip itself.

python benchmarks/install_size.py [--pip-args=...]     (words for pip that choose a build of torch)
"""

import argparse
import shlex
import shutil
import subprocess
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

from ledger import RESULTS, ROOT, append

EXTRAS = {"base": "", "train": "[train]"}
NEEDED = ("pyproject.toml", "README.md", "LICENSE", "src")
BROUGHT = ("pip", "setuptools", "_distutils_hack", "pkg_resources")  # by the environment itself
ALLOWED_MB = {"base": 220, "train": 1350}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pip-args", default="")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    for extra, suffix in EXTRAS.items():
        with tempfile.TemporaryDirectory() as folder:
            record = {"extra": extra, "allowed_mb": ALLOWED_MB[extra], **install(Path(folder), suffix, stated.pip_args)}
        append("install_size", stated.results, record)
        print(f"{extra}: {record['bytes'] / 1e6:.0f} MB of {ALLOWED_MB[extra]} allowed; {record['largest_mb']}")


def install(home: Path, suffix: str, pip_args: str) -> dict[str, Any]:
    """Install a copy of the project (pip leaves traces where it builds) into an environment of its own."""
    source, environment = home / "source", home / "environment"
    source.mkdir()
    for name in NEEDED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    venv.create(environment, with_pip=True)
    before = size(environment)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt")]
    start = time.perf_counter()
    subprocess.run([*pip, *shlex.split(pip_args), f"{source}{suffix}"], check=True)
    seconds = time.perf_counter() - start
    own = [path for path in site(environment).iterdir() if not path.name.startswith(BROUGHT)]
    largest = sorted(((size(path), path.name) for path in own), reverse=True)[:8]
    packages = sorted(path.name.split("-")[0] for path in own if path.suffix == ".dist-info")
    return {
        "bytes": size(environment) - before,
        "n_packages": len(packages),
        "packages": packages,
        "largest_mb": {name: round(n / 1e6, 1) for n, name in largest},
        "install_seconds": round(seconds, 1),
    }


def site(environment: Path) -> Path:
    return next(environment.glob("lib*/**/site-packages"))


def size(path: Path) -> int:
    """Bytes of all files, compiled ones too; links count nothing."""
    if path.is_file() and not path.is_symlink():
        return path.stat().st_size
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file() and not one.is_symlink())


if __name__ == "__main__":
    main()
