"""Losses and answers."""

import numpy as np
import pytest
import torch

from bottega.training.goal import CrossEntropy, SquaredError


def test_cross_entropy_weights_smooths_and_answers_in_probabilities() -> None:
    logits, y = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0])
    each = -torch.log_softmax(logits, 1)
    assert float(CrossEntropy().loss(logits, y, None, 0.0)) == pytest.approx(float(each[:, 0].mean()))
    smoothed = float((0.9 * each[:, 0] + 0.1 * each.mean(1)).mean())
    assert float(CrossEntropy().loss(logits, y, None, 0.1)) == pytest.approx(smoothed)
    y = torch.tensor([0, 1])
    weighted = float((3 * each[0, 0] + each[1, 1]) / 4)
    assert float(CrossEntropy().loss(logits, y, torch.tensor([3.0, 1.0]), 0.0)) == pytest.approx(weighted)
    answers = CrossEntropy().answers(logits)
    np.testing.assert_allclose(answers.sum(1), 1, rtol=1e-6)
    assert answers.shape == (2, 2)


def test_squared_error_answers_in_values() -> None:
    outputs = torch.tensor([[1.0], [3.0]])
    assert float(SquaredError().loss(outputs, torch.tensor([1.0, 1.0]), None, 0.0)) == 2.0
    assert SquaredError().answers(outputs).tolist() == [1.0, 3.0]
