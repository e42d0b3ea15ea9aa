import re
from xml.etree import ElementTree

import polars as pl
import pytest

from bottega.errors import BottegaError
from bottega.evaluation.look_page import render, write_page
from bottega.workflow.look_table import table_record
from look_material import bundled, table_of


def page(frame, folder, **choices):
    return render(table_record(table_of(frame, folder, **choices)))


def test_the_page_is_whole_and_asks_nobody(tmp_path):
    html = page(bundled("wine"), tmp_path, target="target")
    assert html.startswith("<!DOCTYPE html>")
    assert "default-src 'none'" in html
    assert not re.search(r"<script|https?://|url\(", html)
    for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(drawing)
    assert html.count("<svg") > 13


def test_headings_are_findings(tmp_path):
    html = page(bundled("diabetes"), tmp_path, target="target")
    assert "Nothing in data gives the answer away" in html
    assert "bmi alone says most about the target" in html
    assert "Half of the rows lie between 87 and 211.5" in html
    html = page(pl.concat([bundled("wine")] * 2), tmp_path, target="target")
    assert "One thing to settle before a score of data can be believed" in html
    assert "178 rows repeat an earlier one" in html


def test_a_table_without_a_target_has_a_page(tmp_path):
    assert "name the column to be predicted" in page(bundled("iris").rename({"target": "kind"}), tmp_path)


def test_no_name_or_cell_can_write_html(tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    frame = bundled("iris").rename({"sepal length (cm)": evil})
    frame = frame.with_columns(target=pl.col("target").str.replace("setosa", evil, literal=True))
    html = page(frame, tmp_path, target="target")
    assert "<img" not in html
    assert "&lt;img" in html


def test_the_same_record_gives_the_same_bytes(tmp_path):
    record = table_record(table_of(bundled("iris"), tmp_path, target="target"))
    write_page(record, tmp_path / "a.html")
    write_page(record, tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    with pytest.raises(BottegaError, match="could not be written"):
        write_page(record, tmp_path / "gone" / "a.html")
