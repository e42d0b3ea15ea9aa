"""What a look at texts says, and where a table with texts is sent."""

import csv
from pathlib import Path

import pytest

from bottega.cli.look import look
from text_material import made_up_texts


def write(path: Path, *, beside: bool) -> str:
    texts, labels = made_up_texts(120)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["said", *(["stars", "shop"] if beside else []), "topic"])
        for i, (text, label) in enumerate(zip(texts, labels, strict=True)):
            table.writerow([text, *([i % 5, ("Rome", "Lyon")[i % 2]] if beside else []), label])
    return str(path)


def test_a_table_with_texts_is_sent_to_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write(tmp_path / "mail.csv", beside=True)
    look(data, target="topic")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == f"Next         bottega train {data} --target topic"
    assert lines[-1] == f"From texts   bottega train {data} --text said --also stars,shop --target topic"


def test_texts_are_told_with_their_languages_within_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write(tmp_path / "mail.csv", beside=False)
    look(data, target="topic")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 25
    assert any(line.startswith("Languages    English") for line in lines)
    assert lines[-1] == f"Next         bottega train {data} --text said --target topic"
