"""Nothing is kept about the user or told to anyone: the engine's own reports are off."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

V1 = Path(__file__).parent.parent / "artefacts" / "v1.onnx"
CODE = (
    "import os, sys, bottega, numpy as np\n"
    "bottega.load(sys.argv[1])(np.zeros((4, 4, 3), np.uint8))\n"
    "print(os.environ['ORT_DISABLE_TELEMETRY'])"
)


@pytest.mark.parametrize(("stated", "expected"), [(None, "1"), ("0", "0")])
def test_the_engine_is_told_to_keep_quiet(stated: str | None, expected: str, tmp_path: Path) -> None:
    # it also keeps quiet on build servers, which it knows by their variables
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "SYSTEMROOT", "PYTHONPATH")}
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "BOTTEGA_CACHE": str(tmp_path)}
    environment = kept | home | ({} if stated is None else {"ORT_DISABLE_TELEMETRY": stated})
    command = [sys.executable, "-c", CODE, str(V1)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert result.stdout.strip() == expected, result.stderr
    if stated is None:
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
