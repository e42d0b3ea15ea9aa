"""Batches of texts of about one length; rates that go up and down."""

import pytest
import torch

from bottega.training.text_steps import SORTED, batches_by_length, rate_share


def test_each_row_comes_once_and_a_batch_has_texts_of_about_one_length() -> None:
    torch.manual_seed(0)
    lengths = torch.randint(1, 200, (1000,))
    batches = list(batches_by_length(lengths, 8))
    assert torch.cat(batches).sort().values.tolist() == list(range(1000))
    spread = [float(lengths[rows].max() - lengths[rows].min()) for rows in batches if len(rows) == 8]
    assert sum(spread) / len(spread) < 2 * 200 / SORTED
    first = [int(lengths[rows].max()) for rows in batches]
    assert first != sorted(first)


def test_another_epoch_has_other_batches_and_the_same_seed_the_same() -> None:
    lengths = torch.arange(100) % 9
    drawn = []
    for _ in range(2):
        torch.manual_seed(3)
        drawn.append([[rows.tolist() for rows in batches_by_length(lengths, 8)] for _ in range(2)])
    assert drawn[0] == drawn[1]
    assert drawn[0][0] != drawn[0][1]


def test_the_rate_is_highest_where_the_warm_up_ends() -> None:
    shares = [rate_share(done / 100, 0.1) for done in range(100)]
    assert shares.index(max(shares)) == 10
    assert max(shares) == pytest.approx(1.0)
    assert 0 < shares[0] < 0.05
    assert 0 < shares[-1] < 0.05
