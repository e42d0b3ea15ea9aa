"""`bottega.train` as Python users call it."""

import os
from typing import TYPE_CHECKING, Unpack

from bottega.errors import BottegaError, UnmetBarError
from bottega.problem.records import TargetsRecord, TrainRecord
from bottega.workflow.extras import missing_extra
from bottega.workflow.options import TrainKeywords, train_options
from bottega.workflow.threads import calm_threads

if TYPE_CHECKING:
    from bottega.shipping.predictor import Model

__all__ = ["train"]


def train(data: str | os.PathLike[str] | None = None, **keywords: Unpack[TrainKeywords]) -> "Model":
    """Train on a folder of pictures, one sub-folder for each class, or on a table, and give the model that shipped.

    The run folder is written as by `bottega train`; docs/run-folder.md says what is in it.

    Args:
        data: folder, zip, tar, `.npz`, CSV of `path,label`, or the name of a built-in data set; or a table.
        keywords: as the options of `bottega train --help`: `time="5m"`, `preset="accurate"`, `seed=7`,
            `target="price"` (a list for several),, `type={"zip": "category"}` ...
    Returns:
        The model, loaded from the run's file: `model("photo.jpg").label`, `model({"rooms": 3}).value`; of several
        targets `model({"rooms": 3})["price"].value`.
    Raises:
        BottegaError: the data or a choice cannot be used, or training's own packages are missing.
        UnmetBarError: a bar (`at_least`, `at_most`) was not met; the run and its report are kept.
    """
    if data is not None and not isinstance(data, str | os.PathLike):
        raise BottegaError(
            found=f"a {type(data).__name__} in place of data",
            expected="the path of a folder or file, or the name of a built-in data set",
            fix="write it to a file first, or bottega.train('digits')",
        )
    options = train_options(data, keywords)
    calm_threads()
    try:
        from bottega.workflow.train import train as run
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is not None:
            raise missing from error
        raise
    from bottega.shipping.predictor import load

    record = run(None if data is None else os.fspath(data), options)
    if isinstance(record, TargetsRecord) and record.model_path is None:
        raise UnmetBarError(
            found=record.verdict,
            expected=f"at least {options.at_least}" if options.at_least is not None else f"at most {options.at_most}",
            fix=f"read {record.report_path}, or state a bar that every interval clears",
        )
    if isinstance(record, TrainRecord) and record.model_path is None:
        test = record.test
        raise UnmetBarError(
            found=f"{record.metric} {test['score']:.3f}, 95 % interval {test['low']:.3f} to {test['high']:.3f}",
            expected=f"at least {options.at_least}" if options.at_least is not None else f"at most {options.at_most}",
            fix=f"read {record.report_path}, or state a bar that the interval clears",
        )
    return load(str(record.model_path))
