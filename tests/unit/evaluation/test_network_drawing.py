"""The picture of a network: one row for what belongs together, readable at both widths, safe with any name."""

import re
import xml.etree.ElementTree as ET

import pytest

from bottega.evaluation.network_drawing import draw_network, picture_file
from bottega.models.plans import lite_plan, standard
from bottega.problem.layers import Layer
from bottega.problem.network import Network
from bottega.problem.network_summary import NetworkSummary, rows, summarise

NETWORKS = {
    "cnn": summarise(standard("cnn", (1, 28, 28)), 10),
    "resnet": summarise(standard("resnet", (3, 224, 224)), 10),
    "mlp": summarise(standard("mlp", (30,)), 2),
    "lite": summarise(lite_plan("efficientnet_lite0"), 5),
}


@pytest.mark.parametrize("width", [832, 342])
@pytest.mark.parametrize("summary", NETWORKS.values(), ids=NETWORKS.keys())
def test_every_row_is_there_and_inside(summary: NetworkSummary, width: int) -> None:
    root = ET.fromstring(draw_network(summary, width=width))
    slabs = [element for element in root if element.tag == "rect"]
    assert len(slabs) == len(rows(summary)) + 1  # and the input
    assert [slab.get("class") for slab in slabs].count("dot accent") == 1  # the answer alone
    height = float(root.get("height", "0"))
    for element in root:
        if element.tag == "rect":
            assert float(element.get("x", "-1")) >= 0
            assert float(element.get("y", "-1")) + float(element.get("height", "0")) <= height
        if element.tag == "text":
            assert 0 < float(element.get("y", "-1")) < height
            text, x = "".join(element.itertext()), float(element.get("x", "-1"))
            assert element.get("text-anchor") == "end" or x + 6 * min(len(text), 20) < width


def test_a_residual_has_a_way_around() -> None:
    drawing = draw_network(NETWORKS["resnet"], width=832)
    n_residual_rows = sum(row.is_residual for row in rows(NETWORKS["resnet"]))
    assert drawing.count("curve accent") == n_residual_rows == 7
    assert "curve accent" not in draw_network(NETWORKS["cnn"], width=832)


def test_shares_add_up_to_the_work() -> None:
    shares = re.findall(r">(\d+) %<", draw_network(NETWORKS["cnn"], width=832))
    assert sum(map(int, shares)) == pytest.approx(100, abs=2)


def test_a_long_network_leaves_out_its_middle() -> None:
    layers = [Layer("dense", {"units": units}) for units in range(1, 101)]
    drawing = draw_network(summarise(Network("long", (4,), tuple(layers)), 2), width=832)
    assert "… 41 steps between …" in drawing
    assert "dense, 100" in drawing
    assert "dense, 60<" not in drawing


def test_a_name_cannot_break_out() -> None:
    layers = (Layer("dense", {"units": 2}),)
    drawing = draw_network(summarise(Network('"><script>\u202e', (4,), layers), 2), width=342)
    assert "<script" not in drawing
    ET.fromstring(drawing)


def test_a_file_of_its_own_has_its_colours() -> None:
    root = ET.fromstring(picture_file(draw_network(NETWORKS["cnn"], width=832)))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    style = root.findtext("{http://www.w3.org/2000/svg}style") or ""
    assert "--counter" in style
    assert "prefers-color-scheme: dark" in style
