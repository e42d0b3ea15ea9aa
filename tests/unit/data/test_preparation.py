"""The preparation that ships, against Pillow and against itself, for pictures of every size."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from onnx import TensorProto
from onnxruntime import InferenceSession
from PIL import Image
from sklearn.datasets import load_sample_images

from bottega.data.graph import GraphBuilder
from bottega.data.picture_view import View
from bottega.data.preparation import (
    HISTOGRAM_LEVELS,
    N_PLAIN,
    N_THUMBNAIL,
    image_input,
    network_input,
    plain,
    resize,
    small_picture,
)

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
SIZES = [
    (1, 1), (1, 9), (7, 1), (3, 2), (16, 16), (64, 64), (31, 77), (224, 224), (480, 640), (1280, 720), (1080, 1920),
]  # fmt: skip  # height, width
ROUNDING = 0.51 / 255  # Pillow's own pixels are whole numbers


def session(add: Callable[[GraphBuilder, str], str], n_axes: int = 4) -> Callable[[Pixels], Floats]:
    """A graph of `image_input` and whatever `add` adds, as a function of one picture."""
    g = GraphBuilder()
    g.output(add(g, image_input(g)), "out", TensorProto.FLOAT, ["N", "A", "B", "C"][:n_axes])
    ready = InferenceSession(g.model(), providers=["CPUExecutionProvider"])
    return lambda pixels: ready.run(None, {"image": pixels[None]})[0][0]


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.fromarray(load_sample_images().images[0])


def picture(photo: Image.Image, size: tuple[int, int]) -> Pixels:
    height, width = size
    return np.asarray(photo.resize((width, height), Image.Resampling.LANCZOS))


@pytest.fixture(scope="module")
def resized() -> Callable[[Pixels], Floats]:
    return session(lambda g, x: resize(g, x, 64))


@pytest.fixture(scope="module")
def described() -> Callable[[Pixels], Floats]:
    return session(plain, n_axes=2)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_resize_is_pillows(size: tuple[int, int], photo: Image.Image, resized: Callable[[Pixels], Floats]) -> None:
    pixels = picture(photo, size)
    expected = np.asarray(Image.fromarray(pixels).resize((64, 64), Image.Resampling.BILINEAR), np.float32)
    found = resized(pixels).transpose(1, 2, 0)  # (3, 64, 64) -> (64, 64, 3)
    assert np.abs(found - expected).max() <= 1.01  # Pillow rounds to whole levels twice, after each axis


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_resize_is_pillows_to_the_last_bits(
    size: tuple[int, int], photo: Image.Image, resized: Callable[[Pixels], Floats]
) -> None:
    pixels = picture(photo, size)
    channels = [
        Image.fromarray(pixels[:, :, c].astype(np.float32)) for c in range(3)
    ]  # in floats Pillow rounds nothing
    expected = np.stack([np.asarray(c.resize((64, 64), Image.Resampling.BILINEAR)) for c in channels])
    np.testing.assert_allclose(resized(pixels), expected, atol=2e-3)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_thumbnail_and_histogram(
    size: tuple[int, int], photo: Image.Image, described: Callable[[Pixels], Floats]
) -> None:
    pixels = picture(photo, size)
    found = described(pixels)
    assert found.shape == (N_PLAIN,)
    assert found.dtype == np.float32
    small = Image.fromarray(pixels).resize((64, 64), Image.Resampling.BILINEAR)
    cells = np.asarray(small, np.float64).reshape(16, 4, 16, 4, 3).mean((1, 3)) / 255
    thumbnail = found[:N_THUMBNAIL].reshape(3, 16, 16).transpose(1, 2, 0)
    np.testing.assert_allclose(thumbnail, cells, atol=2 * ROUNDING)
    histogram = found[N_THUMBNAIL:]
    assert histogram.sum() == pytest.approx(1, abs=1e-6)
    assert (histogram >= 0).all()


@pytest.mark.parametrize(
    ("colour", "levels"),
    [((0, 0, 0), (0, 0, 0)), ((255, 255, 255), (3, 3, 3)), ((255, 0, 0), (3, 0, 0)), ((0, 100, 200), (0, 1, 3))],
)
def test_one_colour_fills_one_bin(
    colour: tuple[int, int, int], levels: tuple[int, int, int], described: Callable[[Pixels], Floats]
) -> None:
    found = described(np.full((9, 5, 3), colour, np.uint8))
    place = np.ravel_multi_index(levels, (HISTOGRAM_LEVELS,) * 3)
    assert found[N_THUMBNAIL:].argmax() == place
    assert found[N_THUMBNAIL + place] == 1


def test_scale_of_the_network() -> None:
    prepared = session(lambda g, x: network_input(g, x, 224))
    for level in (0, 127, 255):
        found = prepared(np.full((3, 4, 3), level, np.uint8))
        assert found.shape == (3, 224, 224)
        np.testing.assert_allclose(found, (level - 127) / 128, atol=1e-6)


def test_colours_stay_in_their_order() -> None:
    found = session(lambda g, x: network_input(g, x, 32))(np.full((3, 4, 3), (255, 127, 0), np.uint8))
    assert found.mean((1, 2)) == pytest.approx([1, 0, -127 / 128], abs=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (31, 77), (480, 640)], ids=str)
def test_mirrored(size: tuple[int, int], photo: Image.Image) -> None:
    pixels = picture(photo, size)
    straight, mirrored = (session(lambda g, x, f=flip: network_input(g, x, 32, View(flip=f))) for flip in (False, True))
    np.testing.assert_allclose(mirrored(pixels), straight(pixels)[:, :, ::-1], atol=0)
    np.testing.assert_allclose(mirrored(pixels), straight(pixels[:, ::-1].copy()), atol=1e-5)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_middle(size: tuple[int, int], photo: Image.Image) -> None:
    """A crop in the graph is a crop before it, and leaves at least one pixel."""
    pixels = picture(photo, size)
    height, width = size
    top, left = int(height / 8), int(width / 8)
    middle = pixels[top : height - top, left : width - left]
    found = session(lambda g, x: network_input(g, x, 32, View(0.75)))(pixels)
    np.testing.assert_allclose(found, session(lambda g, x: network_input(g, x, 32))(middle), atol=1e-5)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_corner(size: tuple[int, int], photo: Image.Image) -> None:
    pixels = picture(photo, size)
    height, width = size
    corner = pixels[: height - int(height / 4), int(width / 4) :]
    found = session(lambda g, x: network_input(g, x, 32, View(0.75, at=(0.0, 1.0))))(pixels)
    np.testing.assert_allclose(found, session(lambda g, x: network_input(g, x, 32))(corner), atol=1e-5)


def test_a_batch_is_its_rows(photo: Image.Image) -> None:
    g = GraphBuilder()
    g.output(plain(g, image_input(g)), "out", TensorProto.FLOAT, ["N", N_PLAIN])
    ready = InferenceSession(g.model(), providers=["CPUExecutionProvider"])
    tiles = np.asarray(photo)[:200].reshape(4, 50, 640, 3)
    together = ready.run(None, {"image": tiles})[0]
    alone = np.concatenate([ready.run(None, {"image": tile[None]})[0] for tile in tiles])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("side", [1, 8, 28, 40])
def test_a_small_picture_of_its_size_passes_unchanged(side: int) -> None:
    pixels = np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)
    colour = session(lambda g, x: small_picture(g, x, side, 3))(pixels)
    np.testing.assert_array_equal(colour, pixels.transpose(2, 0, 1))
    grey = np.repeat(pixels[..., :1], 3, axis=2)
    np.testing.assert_array_equal(session(lambda g, x: small_picture(g, x, side, 1))(grey)[0], grey[..., 0])


def test_a_large_picture_is_squeezed_to_whole_levels(photo: Image.Image) -> None:
    small = session(lambda g, x: small_picture(g, x, 32, 1))(np.asarray(photo))
    assert small.shape == (1, 32, 32)
    np.testing.assert_array_equal(small, np.rint(small))
    expected = np.asarray(photo.convert("L").resize((32, 32), Image.Resampling.BILINEAR), np.float32)
    assert np.abs(small[0] - expected).max() <= 2  # Pillow rounds once more
