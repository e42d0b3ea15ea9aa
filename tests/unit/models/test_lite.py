"""The numbers of EfficientNet-Lite: blocks, channels, padding."""

from itertools import pairwise

import pytest

from bottega.models.lite import LITE, lite_blocks, round_channels, same_padding


def test_round_channels() -> None:
    assert [round_channels(n * 1.1) for n in (16, 24, 40, 80, 112, 192, 320)] == [16, 24, 48, 88, 120, 208, 352]
    assert round_channels(3) == 8
    assert round_channels(11) == 16  # 8 would be more than a tenth below


@pytest.mark.parametrize(("name", "n_blocks"), [("efficientnet_lite0", 16), ("efficientnet_lite2", 21)])
def test_blocks_follow_each_other(name: str, n_blocks: int) -> None:
    blocks = lite_blocks(LITE[name])
    assert len(blocks) == n_blocks
    assert all(after.n_in == before.n_out for before, after in pairwise(blocks))
    assert [block.ends_level for block in blocks].count(True) == 4
    assert not blocks[0].skips  # 32 channels become 16


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("size", [1, 7, 8, 65])
def test_padding_keeps_every_pixel(size: int, kernel: int, stride: int) -> None:
    before, after = same_padding(size, kernel, stride)
    assert after - before in (0, 1)
    assert (size + before + after - kernel) // stride + 1 == -(-size // stride)
