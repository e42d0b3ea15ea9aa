"""Columns beside the texts as numbers, made by the operators that ship."""

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.data.table_preparation import encoder_graph, fit_preparation, graph_inputs
from bottega.errors import BottegaError, found_in
from bottega.evaluation.table_models import fit_dense
from bottega.shipping.text_graph import Beside
from bottega.workflow.features import engine
from bottega.workflow.text_trial import LookedTexts

__all__ = ["fit_beside"]


def fit_beside(looked: LookedTexts, rows: npt.NDArray[np.int64]) -> tuple[Beside, npt.NDArray[np.float32]]:
    """Learn how the columns are read, and what of them is usual; and the numbers of all rows.

    Args:
        rows: of the training texts.
    Returns:
        What goes into the file, and (N, B): numbers standardised, categories one place each.
    Raises:
        BottegaError: the columns hold nothing in the training rows.
    """
    also = looked.read.also
    prepared = fit_preparation(looked.cells, also.kinds, rows, also.formats)
    inputs = graph_inputs(prepared, looked.cells)
    encoded: npt.NDArray[np.float32] = engine(encoder_graph(prepared), threads=1).run(None, inputs)[0]
    beside = Beside(prepared, fit_dense(encoded[rows], prepared.n_codes))
    if not beside.dense.width:
        raise BottegaError(
            found=f"no value in {found_in(list(also.kinds))} in all {len(rows):,} training rows",
            expected="columns that say something beside the texts",
            fix="leave them out of --also",
        )
    g = GraphBuilder()
    g.output(beside.add(g), "numbers", TensorProto.FLOAT, ["N", beside.dense.width])
    numbers: npt.NDArray[np.float32] = engine(g.model(), threads=1).run(None, inputs)[0]
    return beside, numbers
