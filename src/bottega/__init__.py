"""Bottega: from a folder of pictures to one proved file, on the machine you have.

    import bottega
    model = bottega.train("flowers/")
    model("photo.jpg").label

Each name below is loaded when it is first used, so that `import bottega` costs next to nothing and a verb pays only for
what it needs: `load`, `predict`, `evaluate`, `check` and `look` run where torch is not installed.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bottega.errors import BottegaError, UnmetBarError
    from bottega.problem.curve_records import CurveRecord
    from bottega.problem.records import (
        CheckRecord,
        EvaluateRecord,
        LookRecord,
        ReproduceRecord,
        TrainRecord,
    )
    from bottega.problem.refinement_records import CompareRecord, DiagnoseRecord
    from bottega.problem.understanding_records import ExplainRecord
    from bottega.problem.words import WordsRecord
    from bottega.shipping.predictor import Model, load
    from bottega.workflow.check import check
    from bottega.workflow.compare import compare
    from bottega.workflow.curve import curve
    from bottega.workflow.diagnose import diagnose
    from bottega.workflow.eject_run import eject
    from bottega.workflow.estimators import Classifier, Regressor
    from bottega.workflow.evaluate import evaluate
    from bottega.workflow.explain import explain
    from bottega.workflow.look import look
    from bottega.workflow.predict import predict
    from bottega.workflow.reproduce import reproduce
    from bottega.workflow.six_steps import fit, load_data, network
    from bottega.workflow.verbs import train
    from bottega.workflow.words import Words, words

__all__ = [
    "BottegaError",
    "CheckRecord",
    "Classifier",
    "CompareRecord",
    "CurveRecord",
    "DiagnoseRecord",
    "EvaluateRecord",
    "ExplainRecord",
    "LookRecord",
    "Model",
    "Regressor",
    "ReproduceRecord",
    "TrainRecord",
    "UnmetBarError",
    "Words",
    "WordsRecord",
    "check",
    "compare",
    "curve",
    "diagnose",
    "eject",
    "evaluate",
    "explain",
    "fit",
    "load",
    "load_data",
    "look",
    "network",
    "predict",
    "reproduce",
    "train",
    "words",
]

# Official packages of ONNX Runtime tell their maker which models are run, and keep a number for the device in the
# user's cache folder, unless this is set before they are imported. Nothing leaves this machine unasked.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOME = {
    "BottegaError": "bottega.errors",
    "UnmetBarError": "bottega.errors",
    "CheckRecord": "bottega.problem.records",
    "CompareRecord": "bottega.problem.refinement_records",
    "CurveRecord": "bottega.problem.curve_records",
    "DiagnoseRecord": "bottega.problem.refinement_records",
    "EvaluateRecord": "bottega.problem.records",
    "ExplainRecord": "bottega.problem.understanding_records",
    "LookRecord": "bottega.problem.records",
    "ReproduceRecord": "bottega.problem.records",
    "TrainRecord": "bottega.problem.records",
    "Model": "bottega.shipping.predictor",
    "fit": "bottega.workflow.six_steps",
    "load_data": "bottega.workflow.six_steps",
    "network": "bottega.workflow.six_steps",
    "load": "bottega.shipping.predictor",
    "check": "bottega.workflow.check",
    "compare": "bottega.workflow.compare",
    "curve": "bottega.workflow.curve",
    "diagnose": "bottega.workflow.diagnose",
    "eject": "bottega.workflow.eject_run",
    "Classifier": "bottega.workflow.estimators",
    "Regressor": "bottega.workflow.estimators",
    "evaluate": "bottega.workflow.evaluate",
    "explain": "bottega.workflow.explain",
    "look": "bottega.workflow.look",
    "predict": "bottega.workflow.predict",
    "reproduce": "bottega.workflow.reproduce",
    "train": "bottega.workflow.verbs",
    "Words": "bottega.workflow.words",
    "WordsRecord": "bottega.problem.words",
    "words": "bottega.workflow.words",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("bottega")
    if name not in _HOME:
        raise AttributeError(f"module 'bottega' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value  # so that the next use is a plain look-up
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
