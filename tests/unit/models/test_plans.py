"""Usual networks: their sizes, and the options that change them."""

from typing import Any

import pytest

from bottega.errors import BottegaError
from bottega.models.plans import STANDARD, lite_plan, standard
from bottega.problem.network import steps
from bottega.problem.network_summary import summarise

SHAPES = [(1, 1, 1), (1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 128, 128), (3, 224, 224), (4, 7, 300)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", STANDARD)
def test_every_size_has_a_sane_network(kind: str, shape: tuple[int, int, int]) -> None:
    summary = summarise(standard(kind, shape), 10)
    assert 5_000 < summary.parameters < 4_000_000
    assert summary.multiply_adds < 600e6  # the largest takes about as long a picture as an EfficientNet
    assert summary.activation_bytes < 20e6


def test_stages_follow_the_size() -> None:
    def last_picture(side: int) -> tuple[int, ...]:
        return next(step.into for step in steps(standard("cnn", (3, side, side))) if step.layer.kind == "global_pool")

    assert [last_picture(side) for side in (8, 28, 32, 64, 128, 224)] == [
        (64, 4, 4),
        (128, 7, 7),
        (256, 4, 4),
        (256, 8, 8),
        (256, 8, 8),
        (256, 7, 7),
    ]


def test_drawn_signs_get_wide_windows_that_halve_the_side() -> None:
    def kinds(shape: tuple[int, int, int]) -> list[int]:
        return [int(layer["kernel"]) for layer in standard("cnn", shape).layers if layer.kind == "conv"]

    assert kinds((1, 28, 28)) == [6, 4, 3]
    assert kinds((1, 20, 40)) == [6, 4, 3]
    assert set(kinds((3, 28, 28))) == set(kinds((1, 64, 64))) == set(kinds((1, 8, 8))) == {3}
    small, usual = (summarise(standard("cnn", shape), 10).multiply_adds for shape in ((1, 28, 28), (3, 28, 28)))
    assert small < usual / 20


def test_width_depth_and_dropout() -> None:
    def n_of(kind: str, **options: Any) -> int:
        return len([layer for layer in standard("cnn", (3, 28, 28), **options).layers if layer.kind == kind])

    assert standard("cnn", (3, 28, 28), width=0.5).layers[0]["channels"] == 16
    assert (n_of("conv", depth=1), n_of("conv", depth=3)) == (3, 9)
    assert (n_of("dropout"), n_of("dropout", dropout=0)) == (1, 0)
    assert standard("mlp", (30,), width=2).layers[0]["units"] == 512


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": 3}, "dropout = 3\nexpected: a number from 0 to 0.95"),
        ({"dropout": float("nan")}, "dropout = nan"),
        ({"width": 0}, "width = 0\nexpected: a number from 0.125 to 16"),
        ({"depth": 0}, "depth = 0\nexpected: a whole number from 1 to 50"),
        ({"depth": 2.5}, "depth = 2.5"),
        ({"depth": "2"}, "depth = '2'"),
    ],
)
def test_options_have_ranges(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BottegaError, match=message):
        standard("cnn", (1, 28, 28), **options)


def test_unknown_and_unfit_kinds() -> None:
    with pytest.raises(BottegaError, match="no network is called 'resnt'") as caught:
        standard("resnt", (1, 28, 28))
    assert caught.value.fix == "did you mean 'resnet'?"
    with pytest.raises(BottegaError, match="cnn for 30 columns"):
        standard("cnn", (30,))


@pytest.mark.parametrize("kind", ["cnn", "resnet"])
def test_the_largest_that_may_be_asked_for_is_refused_before_it_is_built(kind: str) -> None:
    with pytest.raises(BottegaError, match="parameters"):
        summarise(standard(kind, (1, 28, 28), width=16, depth=50), 10)


def test_efficientnet_is_a_plan_as_well() -> None:
    assert lite_plan("efficientnet_lite2").input == (3, 260, 260)
    assert lite_plan("efficientnet_lite0", 64).n_features == 1280
