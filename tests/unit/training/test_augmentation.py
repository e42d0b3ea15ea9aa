"""Augmentation on real pictures: each does what its name says, drawn from its generator alone."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Generator, Tensor

from bottega.training.augmentation import augment, contact_sheet, mirror_probe, mixup, suggest
from bottega.training.settings import AUGMENTATIONS


@pytest.fixture(scope="module")
def digits() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    x, y = load_digits(return_X_y=True)
    return (x.reshape(-1, 1, 8, 8) * 15).astype(np.uint8), y.astype(np.int64)


@pytest.fixture
def pictures() -> Tensor:
    """Smooth colour pictures, higher than wide."""
    rng = np.random.default_rng(0)
    small = torch.from_numpy(rng.uniform(0, 255, (40, 3, 4, 3)).astype(np.float32))
    return torch.nn.functional.interpolate(small, (32, 24), mode="bilinear")


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_changes_pictures_a_little_and_from_its_generator(name: str, pictures: Tensor) -> None:
    before = pictures.clone()
    once, again, other = (augment(pictures, (name,), generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(pictures, before)  # the input is left alone
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
    assert once.shape == pictures.shape
    changed = (once != pictures).flatten(1).any(1).float().mean()
    assert changed > 0.3
    assert (once.mean() - pictures.mean()).abs() < 10  # of 255
    assert once.min() > -60
    assert once.max() < 320


def test_no_picture_gets_from_another(pictures: Tensor) -> None:
    flat = torch.arange(40.0)[:, None, None, None].expand(40, 3, 32, 24)
    out = augment(flat, ("flip", "shift", "crop", "rotation", "scale", "erasing"), generator())
    torch.testing.assert_close(out, flat.contiguous(), atol=1e-3, rtol=0)


def test_flip_is_a_mirror_or_nothing(pictures: Tensor) -> None:
    out = augment(pictures, ("flip",), generator())
    same = (out == pictures).flatten(1).all(1)
    mirrored = (out == pictures.flip(3)).flatten(1).all(1)
    assert bool((same ^ mirrored).all())
    assert 8 < int(mirrored.sum()) < 32


def test_shift_moves_whole_pixels(digits: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]) -> None:
    x = torch.from_numpy(digits[0][:100])
    out = augment(x, ("shift",), generator())
    assert out.dtype == torch.uint8
    padded = torch.nn.functional.pad(x.float(), (1, 1, 1, 1), mode="replicate")
    found = torch.zeros(100, dtype=torch.bool)
    for dy in range(3):
        for dx in range(3):
            found |= (padded[:, :, dy : dy + 8, dx : dx + 8] == out).flatten(1).all(1)
    assert bool(found.all())


def test_rotation_keeps_distances_on_a_picture_that_is_not_square() -> None:
    """A disc stays a disc: its pixels keep their distance from the centre."""
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(32.0), indexing="ij")
    disc = (((rows - 31.5) ** 2 + (columns - 15.5) ** 2).sqrt() < 11).float()[None, None] * 255
    out = augment(disc.repeat(20, 1, 1, 1), ("rotation",), generator())
    assert (
        float((out - disc).abs().mean()) < 4
    )  # the rim is blurred; taken for a square, the picture would differ by 20


def test_one_pixel_is_no_trouble() -> None:
    x = torch.ones(3, 1, 1, 1)
    assert torch.isfinite(augment(x, AUGMENTATIONS, generator())).all()


def test_mixup_keeps_the_first_in_the_majority(pictures: Tensor) -> None:
    y = torch.arange(40)
    for seed in range(20):
        mixed, partner, share = mixup(pictures, y, 0.4, generator(seed))
        assert 0.5 <= share <= 1
        torch.testing.assert_close(mixed, share * pictures + (1 - share) * pictures[partner])


def test_digits_are_not_mirrored_and_scenes_are(
    digits: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]],
) -> None:
    x, y = digits
    assert not mirror_probe(x, y)
    either = np.where(np.random.default_rng(0).random(len(x))[:, None, None, None] < 0.5, x, x[..., ::-1])
    assert mirror_probe(either, y)  # a world in which the mirror changes nothing
    noise = np.random.default_rng(0).integers(0, 256, (200, 1, 8, 8)).astype(np.uint8)
    assert not mirror_probe(noise, y[:200])  # nothing is known of grey ones
    assert not mirror_probe(x[:1], y[:1])


def test_suggestions_say_why() -> None:
    assert suggest(8, 1, mirrored=False).names == ("shift",)
    assert "flip" in suggest(64, 3, mirrored=True).names
    assert "not mirrored" in suggest(28, 1, mirrored=False).why
    for side in (8, 28, 64):
        for n_channels in (1, 3):
            assert set(suggest(side, n_channels, mirrored=True).names) <= set(AUGMENTATIONS)


def test_contact_sheet_shows_the_picture_first(
    digits: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]],
) -> None:
    x = digits[0][:4]
    sheet = contact_sheet(x, ("rotation", "shift"), seed=3, n_variants=2)
    assert sheet.shape == (4, 3, 1, 8, 8)
    assert sheet.dtype == np.uint8
    assert (sheet[:, 0] == x).all()
    assert not (sheet[:, 1] == sheet[:, 2]).all()
