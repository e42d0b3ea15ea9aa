"""Trees as one TreeEnsembleRegressor: the same branches as where they were fitted, row for row.

A test on a category becomes a column of its own, -1 where it goes left and 0 where not, looked up by the code.
"""

import numpy as np
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.evaluation.table_forms import Trees

__all__ = ["add_trees"]


def add_trees(g: GraphBuilder, form: Trees, x: str) -> str:
    """Encoded float32 [N, D] -> sums of the leaves, float32 [N, C]."""
    tested = _with_tests(g, form, x)
    is_leaf = form.feature < 0
    sums = g.op(
        "TreeEnsembleRegressor",
        tested,
        domain="ai.onnx.ml",
        n_targets=len(form.base),
        nodes_treeids=form.tree.tolist(),
        nodes_nodeids=form.node.tolist(),
        nodes_featureids=np.where(is_leaf, 0, form.feature).tolist(),
        nodes_modes=["LEAF" if leaf else "BRANCH_LEQ" for leaf in is_leaf],
        nodes_values=form.threshold.tolist(),
        nodes_truenodeids=form.left.tolist(),
        nodes_falsenodeids=form.right.tolist(),
        nodes_missing_value_tracks_true=form.missing_left.astype(np.int64).tolist(),
        target_treeids=form.tree[form.leaf].tolist(),
        target_nodeids=form.node[form.leaf].tolist(),
        target_ids=form.output.tolist(),
        target_weights=form.value.tolist(),
    )
    # Not as its attribute: for an answer that no leaf adds to, ONNX Runtime leaves the base out (seen in 1.31).
    return g.op("Add", sums, g.constant(form.base))


def _with_tests(g: GraphBuilder, form: Trees, x: str) -> str:
    """Put a column for each test on a category behind the encoded ones: (N, D) -> (N, D + T)."""
    parts = [x]
    for column in np.unique(form.column):
        code = g.op("Gather", x, g.constant([column], np.int64), axis=1)
        flat = g.op("Reshape", g.op("Cast", code, to=TensorProto.INT64), g.constant([-1], np.int64))  # (N,)
        table = np.where(form.goes_left[form.column == column], -1.0, 0.0).T  # (n_codes, tests of this column)
        parts.append(g.op("Gather", g.constant(table), flat, axis=0))
    return x if len(parts) == 1 else g.op("Concat", *parts, axis=1)
