"""Layers: what may be written, and the shapes that come out."""

import pytest

from bottega.errors import BottegaError
from bottega.problem.layers import KINDS, Layer, checked_layer, output_shape, stride_between

PICTURE = (3, 28, 28)


def conv(**options: int | str) -> Layer:
    return Layer("conv", {"channels": 8, **options})


def test_defaults() -> None:
    assert [conv()[key] for key in ("kernel", "stride", "padding", "groups")] == [3, 1, "same", 1]
    assert Layer("max_pool", {"kernel": 3})["stride"] == 3  # a pool moves by its kernel
    assert Layer("max_pool", {"kernel": 3, "stride": 2})["stride"] == 2


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (conv(), PICTURE, (8, 28, 28)),
        (conv(stride=2), (3, 7, 8), (8, 4, 4)),
        (conv(kernel=5, padding="valid"), PICTURE, (8, 24, 24)),
        (Layer("depthwise_conv", {"stride": 3}), PICTURE, (3, 10, 10)),
        (Layer("max_pool"), (3, 7, 8), (3, 3, 4)),
        (Layer("avg_pool", {"kernel": 3, "stride": 2, "padding": "same"}), (3, 7, 8), (3, 4, 4)),
        (Layer("global_pool"), PICTURE, (3,)),
        (Layer("flatten"), PICTURE, (2352,)),
        (Layer("dense", {"units": 10}), (30,), (10,)),
        (Layer("dropout", {"rate": 0.5}), PICTURE, PICTURE),
        (Layer("residual", {}, (conv(stride=2), Layer("relu"), conv(channels=5))), PICTURE, (5, 14, 14)),
    ],
)
def test_shapes(layer: Layer, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert output_shape(layer, shape, "layer 1") == expected


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Layer("dense", {"units": 10}), PICTURE, "dense after a layer that gives 3 channels of 28 × 28"),
        (conv(), (30,), "conv after a layer that gives 30 numbers"),
        (Layer("global_pool"), (30,), "global_pool after a layer that gives 30 numbers"),
        (conv(kernel=5, padding="valid"), (3, 4, 9), "conv with kernel = 5 on 3 channels of 4 × 9: nothing is left"),
        (Layer("max_pool"), (3, 1, 1), "max_pool with kernel = 2 on 3 channels of 1 × 1: nothing is left"),
        (conv(kernel=4), PICTURE, "kernel = 4 with padding = 'same'"),
        (conv(groups=2), PICTURE, "groups = 2 with 3 channels in and 8 out"),
        (Layer("residual", {}, (Layer("flatten"),)), PICTURE, "a residual that turns 3 channels of 28 × 28 into 2352"),
        (Layer("residual", {}, (conv(kernel=3, padding="valid"),)), PICTURE, "into 8 channels of 26 × 26"),
    ],
)
def test_what_does_not_fit_names_the_layer(layer: Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(BottegaError, match=message) as caught:
        output_shape(layer, shape, "layer 7")
    assert caught.value.where == "layer 7"
    assert caught.value.fix


@pytest.mark.parametrize(
    ("kind", "options", "found", "fix"),
    [
        ("convv", {}, "no layer is called 'convv'", "did you mean 'conv'?"),
        (None, {}, "a layer without a kind", "write one of these names"),
        (7, {}, "no layer is called 7", "write one of these names"),
        ("conv", {"chanels": 3}, "conv has no option 'chanels'", "did you mean 'channels'?"),
        ("relu", {"units": 3}, "relu has no option 'units'", "delete units"),
        ("conv", {}, "conv without channels", "write channels = 1, say"),
        ("dropout", {}, "dropout without rate", "write rate = 0.2, say"),
        ("dropout", {"rate": 3}, "rate = 3", "write rate = 0, say"),
        ("dropout", {"rate": float("nan")}, "rate = nan", "write rate = 0, say"),
        ("conv", {"channels": 0}, "channels = 0", "write channels = 1, say"),
        ("conv", {"channels": 2.0}, "channels = 2.0", "write channels = 1, say"),
        ("conv", {"channels": True}, "channels = True", "write channels = 1, say"),
        ("conv", {"channels": "many"}, "channels = 'many'", "write channels = 1, say"),
        ("conv", {"channels": 8, "padding": "valdi"}, "padding = 'valdi'", "write padding = 'valid'"),
        ("conv", {"channels": 8, "padding": 1}, "padding = 1", "write padding = 'same'"),
    ],
)
def test_what_may_not_be_written(kind: object, options: dict[str, object], found: str, fix: str) -> None:
    with pytest.raises(BottegaError) as caught:
        checked_layer(kind, options, (), "layer 3")
    assert (caught.value.found, caught.value.fix, caught.value.where) == (found, fix, "layer 3")


def test_the_range_is_told() -> None:
    with pytest.raises(BottegaError, match="rate is a number from 0 to 0.95"):
        checked_layer("dropout", {"rate": 3}, (), "layer 1")


def test_layers_belong_into_a_residual() -> None:
    with pytest.raises(BottegaError, match="layers inside relu"):
        checked_layer("relu", {}, (Layer("relu"),), "layer 1")
    with pytest.raises(BottegaError, match="a residual without layers"):
        checked_layer("residual", {}, (), "layer 1")


def test_every_kind_has_a_shape() -> None:
    for kind, options in KINDS.items():
        stated = {key: option.low or 0.1 for key, option in options.items() if option.default is None}
        shape = (16,) if kind == "dense" else (4, 8, 8)
        inner = (Layer("relu"),) if kind == "residual" else ()
        layer = checked_layer(kind, {k: v if k == "rate" else int(v) for k, v in stated.items()}, inner, "layer 1")
        assert output_shape(layer, shape, "layer 1")


def test_stride_between() -> None:
    assert stride_between((3, 7, 8), (5, 4, 4)) == 2
    assert stride_between((3, 7, 8), (5, 3, 4)) is None  # floor on one side, ceiling on the other
    assert stride_between((30,), (10,)) == 1
