"""Order, constants and batches."""

import numpy as np
import numpy.typing as npt
import pytest

from bottega.training.examples import Data, Examples, Feeder, drawn, epoch_batches, fit_sample
from bottega.training.settings import Settings


def some(n: int, *, seed: int = 0, dtype: npt.DTypeLike = np.uint8) -> Examples:
    rng = np.random.default_rng(seed)
    return Examples(rng.integers(0, 200, (n, 2, 6, 6)).astype(dtype), np.arange(n, dtype=np.int64) % 3)


@pytest.mark.parametrize(("n", "batch_size"), [(1, 8), (7, 8), (100, 32), (129, 128)])
def test_every_row_comes_once_in_batches_of_one_size(n: int, batch_size: int) -> None:
    batches = epoch_batches(n, batch_size, seed=1, epoch=0)
    assert sorted(np.concatenate(batches)) == list(range(n))
    sizes = [len(rows) for rows in batches]
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1


def test_each_epoch_and_seed_has_its_order() -> None:
    orders = {(s, e): tuple(np.concatenate(epoch_batches(50, 8, s, e))) for s in (0, 1) for e in (0, 1)}
    assert len(set(orders.values())) == 4
    assert drawn(1, "order", 2).initial_seed() != drawn(1, "augment", 2).initial_seed()
    assert drawn(1, "order", 2).initial_seed() == drawn(1, "order", 2).initial_seed()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_constants_are_those_of_the_training_examples(dtype: npt.DTypeLike) -> None:
    data = Data.standardised(some(5000, dtype=dtype), some(50, seed=1, dtype=dtype))
    np.testing.assert_allclose(data.mean.ravel(), data.train.x.mean((0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(data.scale.ravel(), data.train.x.std((0, 2, 3)), rtol=1e-5)
    assert data.mean.shape == (2, 1, 1)


def test_rows_of_a_table_and_a_column_that_never_varies() -> None:
    x = np.column_stack([np.arange(20.0), np.full(20, 7.0)]).astype(np.float32)
    data = Data.standardised(Examples(x, np.zeros(20, np.int64)), Examples(x, np.zeros(20, np.int64)))
    batch = Feeder(data, Settings()).for_step(np.arange(20), 0)
    assert data.mean.shape == (2,)
    assert abs(float(batch.x[:, 0].std(correction=0)) - 1) < 1e-5
    assert float(batch.x[:, 1].abs().max()) == 0


def test_a_batch_depends_on_its_step_alone() -> None:
    data = Data.standardised(some(40), some(9))
    feeder = Feeder(data, Settings(augment=("shift", "rotation"), mixup=0.3))
    rows = np.arange(16)
    first, other, again = (feeder.for_step(rows, step) for step in (5, 6, 5))
    assert first.x.numpy().tobytes() == again.x.numpy().tobytes() != other.x.numpy().tobytes()
    assert first.share == again.share
    whole = np.concatenate([x.numpy() for x in feeder.plain(data.val)])
    np.testing.assert_allclose(whole, (data.val.x - data.mean) / data.scale, rtol=1e-5)


def test_read_only_and_mapped_arrays_are_fine(tmp_path) -> None:  # type: ignore[no-untyped-def]
    np.save(tmp_path / "x.npy", some(40).x)
    mapped = Examples(np.load(tmp_path / "x.npy", mmap_mode="r"), some(40).y)
    mapped.y.flags.writeable = False
    data = Data.standardised(mapped, mapped)
    assert len(Feeder(data, Settings()).for_step(np.arange(4), 0).x) == 4


def test_the_fit_sample_is_fixed_and_bounded() -> None:
    assert len(fit_sample(50, 0)) == 50
    assert len(fit_sample(1000, 0)) == 200
    assert len(fit_sample(20_000, 0)) == 1000
    assert len(fit_sample(10**6, 0)) == 2000
    assert (fit_sample(1000, 0) == fit_sample(1000, 0)).all()
