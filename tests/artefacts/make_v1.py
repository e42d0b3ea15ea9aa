"""Make the tiny model file of format version 1 that every later version must open.

It was run once; the file beside it is never made again. Kept to show how the file came to be:
    python tests/artefacts/make_v1.py OUT.onnx
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bottega.problem.records import Score
from bottega.shipping.bloom import build
from bottega.shipping.check import make_golden
from bottega.shipping.model_file import Baseline, Card, DataCard, Thresholds, Weights, class_outputs, seal

LABELS = ("dark", "light", "räd \u200f")  # any alphabet, and an invisible mark
THRESHOLD = 0.8


def graph(labels: tuple[str, ...] = LABELS, threshold: float = THRESHOLD) -> bytes:
    """A classifier by mean colour: resize to 4 x 4, a linear layer, softmax, the threshold."""
    n = len(labels)
    weight = np.zeros((48, n), np.float32)
    weight[:, 0], weight[:, 1], weight[:, 2] = -2 / 48, 2 / 48, -2 / 48
    weight[:16, 2] = 4 / 48  # the plane of red
    constants = {
        "shift": np.float32(127.5),
        "scale": np.float32(16.0),
        "side": np.array([4, 4], np.int64),
        "weight": weight,
        "bias": np.zeros(n, np.float32),
        "threshold": np.float32(threshold),
        "axis": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Resize", ["planes", "", "", "side"], ["small"], mode="linear", antialias=1, axes=[2, 3]),
        helper.make_node("Sub", ["small", "shift"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled"]),
        helper.make_node("Flatten", ["scaled"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "weight", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("ReduceMax", ["probabilities", "axis"], ["top"], keepdims=0),
        helper.make_node("GreaterOrEqual", ["top", "threshold"], ["sure"]),
        helper.make_node("ArgMax", ["probabilities"], ["index"], axis=1, keepdims=0),
        helper.make_node("Gather", ["names", "index"], ["label"]),
    ]
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    tensors.append(helper.make_tensor("names", TensorProto.STRING, [n], [label.encode() for label in labels]))
    whole = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "H", "W", 3])],
        [
            helper.make_tensor_value_info("label", TensorProto.STRING, ["N"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", n]),
            helper.make_tensor_value_info("sure", TensorProto.BOOL, ["N"]),
        ],
        tensors,
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(whole, opset_imports=opsets, ir_version=9, producer_name="bottega")
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def card(model: bytes, labels: tuple[str, ...] = LABELS, threshold: float = THRESHOLD) -> Card:
    """A complete card with made-up numbers."""
    score = Score(n=40, score=0.9, low=0.77, high=0.96, n_groups=38)
    hashes = np.random.default_rng(0).integers(0, 256, (50, 32), dtype=np.uint8)
    return Card(
        task="classification",
        modality="images",
        labels=labels,
        outputs=class_outputs(len(labels)),
        thresholds=Thresholds(threshold, "92 % of the sure answers were right, at least 95 % in 95 of 100 cases", 0.95),
        temperature=1.0,
        metric="accuracy",
        metrics={"accuracy": score, "roc_auc": Score(n=40, score=float("nan"), low=float("nan"), high=float("nan"))},
        test_source="held-out",
        baselines=(Baseline("majority", "baseline", Score(n=40, score=0.4, low=0.26, high=0.55), "worse"),),
        chosen="mean colour",
        verdict="Right for at least 77 of 100 new pictures.",
        data=DataCard("ab" * 32, {"train": 50, "val": 20, "test": 40}, dict.fromkeys(labels, 37)),
        recipe={"seed": 0, "network": None, "views": ["whole"], "margin": 0.01},
        versions={"bottega": "0.1.0"},
        weights=(Weights("none", "Apache-2.0", "cd" * 32, "made for this test"),),
        golden=make_golden(model, n_classes=len(labels)),
        tolerance=1e-4,
        filter=build(hashes),
    )


if __name__ == "__main__":
    body = graph()
    Path(sys.argv[1]).write_bytes(seal(body, card(body)))
