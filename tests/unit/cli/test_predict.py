"""What `predict`, `evaluate` and `check` print, and their exit status."""

import csv
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from bottega.cli.main import main
from bottega.shipping.predictor import load

TINY = str(Path(__file__).parent.parent.parent / "artefacts" / "v1.onnx")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    Image.new("L", (20, 20), 255).save(tmp_path / "white.png")
    Image.new("L", (20, 20), 0).save(tmp_path / "=black\u202e.png")
    Image.new("L", (20, 20), 128).save(tmp_path / "grey\n.png")
    (tmp_path / "style.jpg").write_text("a { color: red }")
    return tmp_path


def test_one_picture(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", TINY, str(photos / "white.png"), "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("light  100.0 %  sure  ")
    assert len(lines) == 6
    assert lines[3].split()[0] == "räd"
    assert lines[-1].startswith("1 picture, ")


def test_a_folder(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", TINY, str(photos)]) == 0
    out = capsys.readouterr().out
    assert "=black\\u202e.png" in out
    assert "grey\\n.png" in out
    assert "not sure" in out
    assert "left out  " in out
    assert "looks like a style sheet (CSS)" in out
    assert not {"\u202e", "\x1b"} & set(out)


def test_json(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", TINY, str(photos), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) >= {"model", "answers", "rejected"}
    answer = next(a for a in document["answers"] if a["input"].endswith("white.png"))
    assert answer == load(TINY)(photos / "white.png").to_json()
    assert document["rejected"][0]["path"].endswith("style.jpg")


def test_csv(photos: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    monkeypatch.chdir(photos)
    assert main(["predict", TINY, "=black\u202e.png", "white.png", "style.jpg", "--csv"]) == 0
    out, err = capfdbinary.readouterr()
    rows = list(csv.DictReader(io.StringIO(out.decode())))
    assert [row["input"] for row in rows] == ["'=black\u202e.png", "white.png"]
    assert [row["sure"] for row in rows] == ["true", "true"]
    assert float(rows[1]["probability of light"]) == pytest.approx(1, abs=1e-4)
    assert b"1 cell began like a formula" in err
    assert b"style.jpg" in err


def test_a_list_on_standard_input(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for data in (
        f"{photos}/white.png\n{photos}/grey\n".encode(),
        f"{photos}/grey\n.png\0{photos}/white.png\0".encode(),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert main(["predict", TINY, "-", "--json"]) == 0
        answers = json.loads(capsys.readouterr().out)["answers"]
        assert f"{photos}/white.png" in [answer["input"] for answer in answers]
        assert len(answers) == (2 if b"\0" in data else 1)


def test_nothing_could_be_read(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", TINY, str(photos / "style.jpg"), "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["rejected"][0]["path"].endswith("style.jpg")
    assert main(["predict", TINY, str(photos), "--json", "--csv"]) == 2


def test_a_file_that_is_no_model(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(photos / "white.png"), TINY]) == 2
    assert capsys.readouterr().err.startswith("found:    a PNG picture")


def test_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TINY]) == 0
    assert capsys.readouterr().out.startswith("same answers")
    assert main(["check", TINY, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True


def test_evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(6):
        for label, level in (("dark", 10 * i), ("light\u202e", 255 - 10 * i)):
            (tmp_path / label).mkdir(exist_ok=True)
            picture = Image.new("L", (20, 20), level)
            picture.paste(128, (3 * i, 2 * i, 3 * i + 4, 2 * i + 7))
            picture.save(tmp_path / label / f"{i}.png")
    assert main(["evaluate", TINY, str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("50 %  of 12 pictures, ")
    assert "label that the model" in out
    assert "\u202e" not in out
    assert main(["evaluate", TINY, str(tmp_path), "--at-least", "0.9"]) == 3
    assert "does not meet the bar: at least 0.9" in capsys.readouterr().out
    assert main(["evaluate", TINY, str(tmp_path), "--at-least", "0.01", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["n"], document["score"], document["passed"]) == (12, 0.5, True)
