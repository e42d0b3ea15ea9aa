"""The same file in JavaScript: in Node, in the browser's WebAssembly, and by the code that the report prints."""

import base64
import csv
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import bottega
from bottega.models import sentence
from bottega.shipping.model_file import read
from bottega.shipping.predictor import load
from bottega.shipping.snippets import snippets
from text_material import TORTURE, made_up_texts

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
    return replayed(script, model, golden, node_dir, tmp_path)


def replayed(
    script: str, model: Path, examples: Sequence[dict[str, Any]], node_dir: Path, tmp_path: Path
) -> list[dict[str, object]]:
    (tmp_path / "golden.json").write_text(json.dumps(examples))
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


SENTENCES = "sentence network and words"
FAST = {"words": "words and characters", "network": "bag of embeddings"}


@pytest.fixture(scope="module")
def text_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files that take strings, trained without the sentence network."""
    home = tmp_path_factory.mktemp("texts")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr(sentence, "PACKAGE", "not_installed")
        return {name: home / train_on_texts(ship) for name, ship in FAST.items()}


def train_on_texts(ship: str) -> Path:
    texts, labels = made_up_texts(340)
    given = ["train"] * 240 + ["val"] * 60 + ["test"] * 40
    with Path("texts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("said", "topic", "split"), *zip(texts, labels, given, strict=True)])
    columns = {"target": "topic", "text": "said", "split_column": "split"}
    bottega.train("texts.csv", **columns, ship=ship)
    return max(Path("runs").glob("*/model.onnx"), key=lambda path: path.stat().st_mtime_ns)


def require_the_same_answers(script: str, path: Path, node_dir: Path, tmp_path: Path) -> None:
    texts = [*TORTURE, *made_up_texts(20, seed=1)[0]]
    model = load(path, threads=1)
    found = replayed(script, path, [{"text": text} for text in texts], node_dir, tmp_path)
    read = [text.split("\0")[0] for text in texts]  # both packages end a string at its first NUL
    for text, answer, expected in zip(texts, found, model(read), strict=True):
        assert (answer["label"], answer["sure"]) == (expected.label, expected.sure), repr(text)
        there = [expected.probabilities[label] for label in model.labels]
        np.testing.assert_allclose(answer["probabilities"], there, atol=model.card.tolerance, rtol=0, err_msg=text)


@pytest.mark.parametrize("script", ["node.mjs", "web.mjs"])
@pytest.mark.parametrize("which", FAST)
def test_strings(script: str, which: str, node_dir: Path, tmp_path: Path, text_models: dict[str, Path]) -> None:
    require_the_same_answers(script, text_models[which], node_dir, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("script", ["node.mjs", "web.mjs"])
def test_strings_through_the_sentence_network(
    script: str, node_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(sentence.PACKAGE)
    monkeypatch.chdir(tmp_path)
    require_the_same_answers(script, tmp_path / train_on_texts(SENTENCES), node_dir, tmp_path)
