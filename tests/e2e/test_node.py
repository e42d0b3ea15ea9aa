"""The same file in JavaScript: in Node, in the browser's WebAssembly, and by the code that the report prints."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bottega.shipping.model_file import read
from bottega.shipping.predictor import load
from bottega.shipping.snippets import snippets

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = ROOT / "tests" / "node"
TINY = ROOT / "tests" / "artefacts" / "v1.onnx"


@pytest.fixture(scope="module")
def node_dir() -> Path:
    """The pinned packages, installed once for each lock file into the project's ignored cache folder."""
    if shutil.which("npm") is None:
        pytest.fail("npm is not installed: the promise about JavaScript cannot be checked (install Node 20 or later)")
    pinned = hashlib.sha256((SCRIPTS / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = ROOT / ".cache" / f"node-{pinned}"
    folder.mkdir(parents=True, exist_ok=True)
    for path in SCRIPTS.iterdir():
        if path.is_file():
            shutil.copy(path, folder / path.name)
    done = folder / "installed"
    if not done.exists():
        # Install scripts stay off: the one there is would fetch libraries for graphics cards.
        words = ["npm", "ci", "--ignore-scripts", "--loglevel=error"]
        result = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=600)
        if result.returncode:
            pytest.fail(f"npm ci failed\n{result.stderr}")
        done.touch()
    return folder


def answers(script: str, model: Path, node_dir: Path, tmp_path: Path) -> list[dict[str, object]]:
    card, _ = read(model)
    golden = [
        {"height": g.height, "width": g.width, "pixels": base64.b64encode(g.pixels).decode()} for g in card.golden
    ]
    (tmp_path / "golden.json").write_text(json.dumps(golden))
    words = ["node", str(node_dir / script), str(model), str(tmp_path / "golden.json")]
    result = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    found = json.loads(result.stdout.splitlines()[-1])
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("script", ["node.mjs", "web.mjs"])
@pytest.mark.parametrize("which", ["tiny", "trained"])
def test_golden_examples(
    script: str, which: str, node_dir: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model = TINY if which == "tiny" else request.getfixturevalue("trained_run").model
    card, _ = read(model)
    found = answers(script, model, node_dir, tmp_path)
    assert len(found) == len(card.golden) == 6
    for answer, golden in zip(found, card.golden, strict=True):
        assert answer["label"] == golden.label
        assert answer["sure"] == golden.sure
        np.testing.assert_allclose(answer["probabilities"], golden.probabilities, atol=card.tolerance, rtol=0)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / 'a "photo" Ж.png'  # lossless: decoders agree to the bit
    pixels = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_the_javascript_of_the_report(node_dir: Path, photo: Path) -> None:
    code = snippets(str(TINY), load(TINY).labels, photo=str(photo))["JavaScript"]
    script = node_dir / "snippet.cjs"
    script.write_text(code, "utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NODE_")}
    result = subprocess.run(["node", str(script)], capture_output=True, text=True, timeout=120, env=environment)
    assert result.returncode == 0, result.stderr
    label, top, *sure = result.stdout.split()
    answer = load(TINY)(photo)
    assert label == answer.label
    assert float(top) == pytest.approx(answer.probability, abs=1e-5)
    assert " ".join(sure) == ("sure" if answer.sure else "not sure")
