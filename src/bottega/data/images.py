"""From the bytes of a picture to uint8 pixels, by stated rules, hostile until parsed.

The rules, in the order in which they are applied:

- Formats: JPEG (MPO included), PNG, GIF, BMP, TIFF, WebP, PPM/PGM/PBM, recognised by content, never by suffix.
- At most 64,000,000 pixels, checked on the header, before anything is decoded.
- Animated or many pages: the first frame.
- EXIF orientation is honoured: the picture is turned as the camera was held.
- 16 bits a channel: divided by 257 and rounded (grey), the upper byte (colour). 32-bit floats: only within 0 … 1.
- Palette, 1-bit, CMYK, YCbCr, Lab: to RGB by Pillow's conversion; grey: the same value three times.
- Alpha, a transparent palette entry or colour: composited on white.
- Full decoding always: JPEG's draft mode is not used, since its pixels differ.
"""

import hashlib
import io
import re
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["MAX_PIXELS", "Picture", "UnreadableError", "content_hash", "decode", "from_array", "looks_like"]

MAX_PIXELS = 64_000_000  # 192 MB as RGB: what a small machine can hold twice

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")  # plain pixel formats; none that runs a program

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112  # EXIF 2.32, table 4

# What Pillow's readers raise on damaged files: they name no common ancestor.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)
_opening = threading.Lock()  # warning filters are process-wide: one thread at a time may change them

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"%!PS", "a PostScript program"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"SQLite format 3", "a database (SQLite)"),
    (b"OggS", "a sound or film (Ogg)"),
    (b"ID3", "a sound (MP3)"),
    (b"\x1aE\xdf\xa3", "a film (Matroska or WebM)"),
    (b"8BPS", "a Photoshop document"),
    (b"\xff\xd8\xff", "a damaged JPEG"),
    (b"\x89PNG\r\n\x1a\n", "a damaged PNG"),
    (b"GIF8", "a damaged GIF"),
    (b"BM", "a damaged BMP"),
    (b"II*\x00", "a damaged or unusual TIFF"),
    (b"MM\x00*", "a damaged or unusual TIFF"),
)


class UnreadableError(ValueError):
    """A file that is not used, with the reason to be shown beside its name."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Picture:
    """A decoded picture: `pixels` uint8 (H, W, 3) RGB; `notes` name the rules that were applied."""

    pixels: npt.NDArray[np.uint8]
    format: str
    mode: str
    notes: tuple[str, ...] = ()


def decode(data: bytes) -> Picture:
    """Decode a picture by the rules at the head of this file.

    Raises:
        UnreadableError: empty, damaged, truncated, too large, or no picture at all; `reason` says which.
    """
    if not data:
        raise UnreadableError("empty: 0 bytes")
    with _open(data) as opened:
        if opened.width < 1 or opened.height < 1:
            raise UnreadableError(f"zero-size: {opened.width} × {opened.height} pixels")
        if opened.width * opened.height > MAX_PIXELS:
            size = f"{opened.width:,} × {opened.height:,} pixels"
            raise UnreadableError(f"{size}, over the limit of {MAX_PIXELS:,}")
        format_name = "JPEG" if opened.format == "MPO" else str(opened.format)
        try:
            notes = _first_frame_notes(opened, format_name)
            opened.load()
            turned, turn_notes = _turned(opened)
        except _DAMAGE as error:
            raise UnreadableError(_damage_reason(error, format_name)) from error
        pixels, mode_notes = _to_rgb(turned)
        return Picture(pixels, format_name, str(opened.mode), tuple(dict.fromkeys(notes + turn_notes + mode_notes)))


def from_array(array: npt.NDArray[Any]) -> Picture:
    """A picture that came as uint8 values: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), alpha on white."""
    if array.ndim == 2 or array.shape[2] == 1:
        grey = array.reshape(array.shape[0], array.shape[1], 1)
        return Picture(np.repeat(grey, 3, axis=2), "array", "L")
    if array.shape[2] == 4:
        pixels, notes = _to_rgb(Image.fromarray(array, "RGBA"))
        return Picture(pixels, "array", "RGBA", notes)
    return Picture(np.ascontiguousarray(array), "array", "RGB")


def content_hash(pixels: npt.NDArray[np.uint8]) -> bytes:
    """SHA-256 of what the picture shows: b"bottega/image/1\\0", height and width as little-endian uint32, RGB bytes."""
    height, width = pixels.shape[:2]
    digest = hashlib.sha256(b"bottega/image/1\0" + struct.pack("<II", height, width))
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()


def looks_like(data: bytes) -> str:
    """Say in words what a file that is no readable picture seems to be, from its first bytes.

    Example:
        >>> looks_like(b"@font-face { font-family: Arial; }")
        'a style sheet (CSS)'
    """
    head = data[:4096]
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[4:8] == b"ftyp":
        return "a HEIC or AVIF photo" if head[8:12] in (b"heic", b"heix", b"mif1", b"avif") else "a film (MP4)"
    if head.startswith(b"RIFF"):
        return "a damaged WebP" if head[8:12] == b"WEBP" else "a sound or film (RIFF)"
    if not head.strip(b"\0"):
        return "nothing but zero bytes"
    return _text_kind(head) or "no format that is read here"


def _text_kind(head: bytes) -> str | None:
    try:
        text = head[:-4].decode("utf-8") if len(head) == 4096 else head.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if any(ord(c) < 32 and c not in "\t\n\r\f" for c in text):
        return None
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body")):
        return "a web page (HTML)"
    if "<svg" in start:
        return "a drawing (SVG)"
    if start.startswith("<"):
        return "a document (XML)"
    if start.startswith(("{", "[")):
        return "data (JSON)"
    if start.startswith("version https://git-lfs"):
        return "a Git LFS pointer, the picture itself was not fetched"
    if re.match(r"(/\*|@charset|@import|@font-face|@media|[\w.#*:,>\s\[\]-]+\{\s*[\w-]+\s*:)", start):
        return "a style sheet (CSS)"
    return "text"


def _open(data: bytes) -> Image.Image:
    try:
        with _opening, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        found = re.search(r"\d+", str(error))
        n_pixels = f"{int(found.group()):,} pixels" if found else "too many pixels"
        raise UnreadableError(f"{n_pixels}, over the limit of {MAX_PIXELS:,}") from error
    except _DAMAGE as error:
        raise UnreadableError(f"not a picture: looks like {looks_like(data)}") from error


def _damage_reason(error: BaseException, format_name: str) -> str:
    words = str(error).lower()
    if "truncated" in words or isinstance(error, EOFError):
        return f"truncated: the {format_name} ends before the picture does"
    return f"damaged {format_name}: {str(error) or type(error).__name__}"


def _first_frame_notes(opened: Image.Image, format_name: str) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    tiles = getattr(opened, "tile", None) or ()
    if any(";16" in str(argument) for tile in tiles for argument in tile[3:]):  # what the file holds, before load
        notes += ("16-bit",)
    if format_name != "JPEG" and getattr(opened, "is_animated", False):
        opened.seek(0)
        notes += ("animated",)
    return notes


def _turned(opened: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    if opened.format not in ("JPEG", "MPO", "PNG", "WEBP"):  # Pillow turns a TIFF itself while loading
        return opened, ()
    if "exif" not in opened.info and "Raw profile type exif" not in opened.info:
        return opened, ()
    try:
        turn = _TURNS.get(opened.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return opened, ("damaged EXIF",)  # the pixels are whole: shown as stored
    return (opened.transpose(turn), ("turned by EXIF",)) if turn is not None else (opened, ())


def _to_rgb(image: Image.Image) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    if image.mode == "RGB" and "transparency" not in image.info:
        return np.asarray(image), ()
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        grey = np.clip((values + 128) // 257, 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2), ("16-bit",)
    if image.mode == "F":
        return _float_to_rgb(np.asarray(image))
    if "A" in image.mode.upper().replace("LAB", "") or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return np.asarray(Image.alpha_composite(ground, layer).convert("RGB")), ("alpha on white",)
    notes = ("CMYK",) if image.mode == "CMYK" else ()
    return np.asarray(image.convert("RGB")), notes


def _float_to_rgb(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    low, high = float(values.min()), float(values.max())
    if not (low >= 0.0 and high <= 1.0):  # also when a NaN is among them
        raise UnreadableError(f"32-bit float pixels from {low:g} to {high:g}: only 0 … 1 has a stated meaning")
    grey = np.round(values * 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2), ("32-bit float",)
