"""The end of a classifier's graph: which label is said, and when it is sure."""

import numpy as np
import pytest
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.evaluation.calibration import apply_temperature
from bottega.evaluation.costs import Costs
from bottega.shipping.answers import add_labels
from bottega.workflow.features import engine

LABELS = ("no", "perhaps", "yes")
COSTS = Costs(((0.0, 1.0, 4.0), (2.0, 0.0, 1.0), (30.0, 3.0, 0.0)))


@pytest.mark.parametrize("costs", [None, COSTS])
def test_the_label_is_the_most_probable_or_the_cheapest_one(costs: Costs | None) -> None:
    g = GraphBuilder()
    scores = g.input("scores", TensorProto.FLOAT, ["N", 3])
    add_labels(g, scores, LABELS, temperature=1.5, threshold=0.6, costs=costs)
    logits = np.random.default_rng(0).normal(0, 3, (500, 3)).astype(np.float32)
    label, probabilities, sure = engine(g.model(), threads=1).run(None, {"scores": logits})
    expected = apply_temperature(logits, 1.5)
    said = expected.argmax(1) if costs is None else costs.answers(expected)
    assert np.abs(probabilities - expected).max() < 1e-6
    assert label.tolist() == [LABELS[i] for i in said]
    assert sure.tolist() == (expected[np.arange(500), said] >= 0.6).tolist()
    assert len({*label.tolist()}) == 3
    assert 0 < sure.sum() < 500
    if costs is not None:  # what is said need not be what is most probable, and is then not sure
        assert (said != expected.argmax(1)).sum() > 50
        assert not sure[said != expected.argmax(1)].any()
