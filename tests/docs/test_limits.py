"""The numbers in docs/limits.md are those in the code."""

from pathlib import Path

import pytest

from bottega.data import archives, images, sources
from bottega.shipping import model_file, wire

PAGE = (Path(__file__).parent.parent.parent / "docs" / "limits.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (images.MAX_PIXELS, 64_000_000),
        (sources.MAX_FILE_BYTES, 256 << 20),
        (archives.MAX_MEMBERS, 500_000),
        (archives.MAX_MEMBER_BYTES, 256 << 20),
        (archives.MAX_TOTAL_BYTES, 64 << 30),
        (archives.MAX_HELD_BYTES, 2 << 30),
        (archives.MAX_RATIO, 200),
        (wire.MAX_FILE_BYTES, 512 << 20),
        (model_file.MAX_DOCUMENT_BYTES, 128 << 20),
    ],
)
def test_the_page_says_the_number(value: int, said: int) -> None:
    assert value == said, "change docs/limits.md too"
    in_words = {64_000_000: "64 million", 500_000: "500,000", 200: "200 to 1"}
    size = f"{said >> 30} GiB" if said >= 1 << 30 else f"{said >> 20} MiB"
    assert in_words.get(said, size) in PAGE
