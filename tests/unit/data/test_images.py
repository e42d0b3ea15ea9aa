import contextlib
import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from bottega.data.images import UnreadableError, content_hash, decode, from_array, looks_like


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def gradient(width: int = 12, height: int = 8) -> Image.Image:
    x, y = np.meshgrid(np.arange(width) * 20, np.arange(height) * 30)
    return Image.fromarray(np.stack([x, y, x + y], axis=2).astype(np.uint8))


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM", "GIF", "JPEG", "WEBP"])
def test_each_format_gives_rgb_pixels_of_the_same_size(format):
    picture = decode(encoded(gradient(), format))
    assert picture.pixels.shape == (8, 12, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.format == format
    if format in ("PNG", "BMP", "TIFF", "PPM"):
        assert np.array_equal(picture.pixels, np.asarray(gradient()))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))])
def test_exif_orientation_is_honoured_once(format, orientation, corner):
    image = Image.new("RGB", (48, 32), "black")
    image.paste("white", (0, 0, 16, 16))  # the corner that was top left on the sensor
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(encoded(image, format, exif=exif))
    assert picture.pixels.shape[:2] == ((48, 32) if orientation > 4 else (32, 48))
    assert picture.pixels[corner].min() > 200
    assert [*picture.pixels[corner]] != [*picture.pixels[tuple(-1 - i for i in corner)]]


def test_damaged_exif_leaves_the_pixels_as_stored():
    data = encoded(gradient(), "JPEG", exif=b"Exif\0\0garbage that is no TIFF header")
    assert decode(data).pixels.shape == (8, 12, 3)


def test_alpha_is_composited_on_white():
    half = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    half.putpixel((1, 0), (0, 0, 0, 255))
    picture = decode(encoded(half))
    assert picture.pixels.tolist() == [[[255, 255, 255], [0, 0, 0]]]
    assert "alpha on white" in picture.notes


def test_transparent_palette_entry_is_white():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    assert decode(encoded(image, transparency=0)).pixels.tolist() == [[[255, 255, 255], [40, 50, 60]]]
    assert decode(encoded(image)).pixels.tolist() == [[[10, 20, 30], [40, 50, 60]]]


def test_sixteen_bits_are_scaled_not_cut():
    image = Image.fromarray(np.array([[0, 257, 32896, 65535]], np.uint16))
    picture = decode(encoded(image))
    assert picture.pixels[0, :, 0].tolist() == [0, 1, 128, 255]
    assert picture.notes == ("16-bit",)


def test_one_bit_grey_cmyk_and_one_pixel():
    assert decode(encoded(Image.new("1", (3, 2), 1))).pixels.tolist() == [[[255] * 3] * 3] * 2
    assert decode(encoded(Image.new("L", (1, 1), 7))).pixels.tolist() == [[[7, 7, 7]]]
    cmyk = decode(encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG"))
    assert cmyk.pixels.min() > 250
    assert "CMYK" in cmyk.notes


def test_first_frame_of_an_animation_is_taken_and_told():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    picture = decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert picture.pixels[0, 0].tolist() == [255, 0, 0]
    assert "animated" in picture.notes


def test_float_pixels_only_between_0_and_1():
    assert decode(encoded(Image.fromarray(np.array([[0.0, 1.0]], np.float32)), "TIFF")).pixels[0, :, 0].tolist() == [
        0,
        255,
    ]
    with pytest.raises(UnreadableError, match="float pixels from 0 to 700"):
        decode(encoded(Image.fromarray(np.array([[0.0, 700.0]], np.float32)), "TIFF"))


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    idat = b"IDAT" + zlib.compress(b"\0" * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", len(idat) - 4) + idat + struct.pack(">I", zlib.crc32(idat))


@pytest.mark.parametrize(
    ("side", "pixels"), [(30_000, "900,000,000"), (8_001, "8,001 × 8,001"), (10_000, "100,000,000")]
)
def test_too_many_pixels_are_refused_on_the_header(side, pixels):
    with pytest.raises(UnreadableError, match=f"{pixels}.*over the limit of 64,000,000"):
        decode(png_header(side, side))


def test_truncated_empty_and_zero_size():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    for format in ("JPEG", "PNG"):
        data = encoded(noise, format)
        with pytest.raises(UnreadableError, match="truncated"):
            decode(data[: len(data) // 2])
    with pytest.raises(UnreadableError, match="empty: 0 bytes"):
        decode(b"")
    with pytest.raises(UnreadableError):
        decode(png_header(0, 5))


def test_truncation_at_every_length_is_a_reason_never_another_exception():
    for format in ("PNG", "GIF", "BMP", "TIFF", "WEBP", "JPEG", "PPM"):
        data = encoded(gradient(), format)
        for length in range(0, len(data), 7):
            with contextlib.suppress(UnreadableError):  # any other exception fails the test
                decode(data[:length])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"@font-face {\n font-family: 'x';\n}\nbody { margin: 0 }", "a style sheet (CSS)"),
        (b".menu > li:hover { color: red; }", "a style sheet (CSS)"),
        (b"<!DOCTYPE html><html>", "a web page (HTML)"),
        (b"<?xml version='1.0'?><svg/>", "a drawing (SVG)"),
        (b'{"a": 1}', "data (JSON)"),
        (b"PK\x03\x04rest", "a zip archive or an office document"),
        ("Grüße, plain words".encode(), "text"),
        (b"\0" * 64, "nothing but zero bytes"),
        (b"%PDF-1.7", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "a PostScript program"),
        (b"\x80\x04\x95\x01", "a Python pickle"),
        (bytes(range(128, 255)), "no format that is read here"),
    ],
)
def test_what_a_file_looks_like(data, words):
    assert looks_like(data) == words
    with pytest.raises(UnreadableError, match="not a picture: looks like"):
        decode(data)


def test_content_hash_is_the_written_formula_and_sees_the_shape():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    wanted = hashlib.sha256(b"bottega/image/1\0" + struct.pack("<II", 2, 3) + pixels.tobytes()).digest()
    assert content_hash(pixels) == wanted
    assert content_hash(pixels.reshape(3, 2, 3)) != wanted
    assert content_hash(np.asfortranarray(pixels)) == wanted


def test_arrays_become_rgb():
    grey = np.array([[1, 2]], np.uint8)
    assert from_array(grey).pixels.tolist() == from_array(grey[:, :, None]).pixels.tolist() == [[[1] * 3, [2] * 3]]
    assert from_array(np.zeros((1, 1, 4), np.uint8)).pixels.tolist() == [[[255, 255, 255]]]
