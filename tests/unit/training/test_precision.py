"""Precision by the processor, and torch left as it was found."""

import pytest
import torch
from torch import nn

from bottega.training.precision import autocast, best_precision, for_processor, has_bfloat16_unit, working


def test_bfloat16_where_there_is_a_unit_and_something_to_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(has_bfloat16_unit(), bool)
    monkeypatch.setattr("bottega.training.precision._abilities", lambda: {"avx512_bf16": True})
    assert best_precision(nn.Sequential(nn.Conv2d(1, 1, 3))) == "bfloat16"
    assert best_precision(nn.Linear(2, 2)) == "float32"
    monkeypatch.setattr("bottega.training.precision._abilities", dict)
    assert best_precision(nn.Conv2d(1, 1, 3)) == "float32"
    assert not has_bfloat16_unit("meta")


def test_products_are_computed_in_the_stated_precision() -> None:
    layer, x = nn.Linear(3, 3), torch.rand(2, 3)
    for precision in ("float32", "bfloat16"):
        with autocast(precision, "cpu"):
            assert str(layer(x).dtype) == f"torch.{precision}"
    assert for_processor(torch.rand(2, 3, 4, 4)).is_contiguous(memory_format=torch.channels_last)
    assert for_processor(x) is x


def test_torch_is_given_back_as_it_was() -> None:
    before, state = torch.get_num_threads(), torch.random.get_rng_state()
    with working(before + 1, 3):
        assert torch.get_num_threads() == before + 1
        first = torch.rand(1)
    assert torch.get_num_threads() == before
    assert torch.equal(torch.random.get_rng_state(), state)
    with working(1, 3):
        assert torch.equal(torch.rand(1), first)
