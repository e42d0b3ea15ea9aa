"""The six steps from Python: data, network, fit, evaluate, save, predict."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from bottega.errors import BottegaError, UnmetBarError, nearest_name
from bottega.problem.records import Score, TargetsRecord, TrainRecord
from bottega.workflow.extras import missing_extra
from bottega.workflow.options import TrainKeywords, TrainOptions, train_options
from bottega.workflow.threads import calm_threads

if TYPE_CHECKING:
    from bottega.shipping.predictor import Model
    from bottega.workflow.trial import Looked

__all__ = ["LabelledData", "NetworkChoice", "Run", "fit", "load_data", "network"]

SHAPE = ("width", "depth", "dropout")
DIVISION = ("split_seed", "group_by")
NOT_FOR_FIT = ("network", "resume", *SHAPE, *DIVISION)  # said elsewhere: by the network, by the data, or not here
_SAID_BY = {"bottega.network": SHAPE, "bottega.load_data": DIVISION}


@dataclass(frozen=True)
class LabelledData:
    """Data that were looked at: what `load_data` gives and `network` and `fit` take.

    Attributes:
        split_seed, group_by: how they were divided; `fit` divides them so.
    """

    source: str
    looked: "Looked"
    split_seed: int = 0
    group_by: str | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that may be answered."""
        return self.looked.classes

    def __len__(self) -> int:
        return len(self.looked.images)

    def __repr__(self) -> str:
        return f"<{len(self):,} pictures in {len(self.classes)} classes from {self.source!r}>"


@dataclass(frozen=True)
class NetworkChoice:
    """A network before it is trained; printed, it shows its layers.

    Attributes:
        kind: `mlp`, `cnn`, `resnet`, a TOML file, `module:Class`, or the name of the user's own class.
        source: the user's own class or module; None for the others.
    """

    kind: str
    data: LabelledData
    options: TrainOptions
    source: Any = None

    def __repr__(self) -> str:
        from bottega.problem.network import shape_text
        from bottega.problem.network_summary import rows, summarise
        from bottega.workflow.choose_network import choose_network

        chosen = choose_network(self.options, self.data.looked.everything, None, self.source)
        plan = None if chosen is None else chosen.architecture.plan
        if plan is None:
            return f"<network {self.kind}>"
        summary = summarise(plan, len(self.data.classes))
        lines = [f"{plan.name}, {summary.parameters:,} parameters, for {shape_text(plan.input)}"]
        for row in rows(summary):
            words = row.text if row.times == 1 else f"{row.times} × {row.text}"
            lines.append(f"  {words:<40} {shape_text(row.output):>12} {row.parameters:>10,}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Run:
    """A finished training: its record, and the file that it shipped.

    Attributes:
        record: as `bottega train --json` prints it.
    """

    record: TrainRecord

    def evaluate(self) -> Score:
        """The score on the test part, read once in training: never on pictures that were trained on."""
        return self.record.metrics[self.record.metric]

    @property
    def model(self) -> "Model":
        """The model, loaded from the file."""
        from bottega.shipping.predictor import load

        return load(self._file())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Copy the model file.

        Raises:
            BottegaError: it can't be written there.
        """
        try:
            return Path(shutil.copyfile(self._file(), path))
        except OSError as error:
            raise BottegaError(
                found=f"{os.fspath(path)!r} can't be written: {error.strerror}",
                expected="a folder that can be written to",
                fix="name another place",
            ) from error

    def _file(self) -> str:
        if self.record.model_path is None:
            raise UnmetBarError(
                found="a run that shipped no file, since its bar was not met",
                expected="a score whose interval clears the bar",
                fix=f"read {self.record.report_path}",
            )
        return self.record.model_path

    def __repr__(self) -> str:
        return f"<run {self.record.run_dir}: {self.record.verdict}>"


def load_data(data: str | os.PathLike[str], *, split_seed: int = 0, group_by: str | None = None) -> LabelledData:
    """Look at data and divide them; nothing is trained yet.

    Args:
        data: folder, zip, tar, `.npz`, CSV of `path,label`, or the name of a built-in data set.
        split_seed: another one draws another test part.
        group_by: regular expression on the path inside the folder; equal matches are one shot or subject.
    Raises:
        BottegaError: it can't be opened, or nothing can be learned from it.
    """
    from bottega.data.store import Store
    from bottega.workflow.trial import look_at

    options = train_options(data, {"split_seed": split_seed, "group_by": group_by})
    looked = look_at(os.fspath(data), options, store=Store(), progress=None)
    return LabelledData(os.fspath(data), looked, split_seed, group_by)


def network(
    kind: Any,
    data: LabelledData,
    *,
    width: float | None = None,
    depth: int | None = None,
    dropout: float | None = None,
) -> NetworkChoice:
    """A network that fits the data; `print` it to see its layers.

    Args:
        kind: "mlp", "cnn", "resnet", a TOML file, "module:Class", a class of torch.nn.Module, or a module.
        width: times the usual units or channels.
        depth: layers of each stage.
        dropout: share of units that are left out at random in training, 0 to 0.95.
    Raises:
        BottegaError: no such network, or a value out of its range.
    """
    source = None if isinstance(kind, str) else kind
    if source is not None:
        owner = source if isinstance(source, type) else type(source)
        kind = f"{owner.__module__}:{owner.__name__}"
    keywords: TrainKeywords = {"network": kind, "width": width, "depth": depth, "dropout": dropout}
    return NetworkChoice(kind, data, train_options(data.source, keywords), source)


def fit(net: NetworkChoice, data: LabelledData, **keywords: Unpack[TrainKeywords]) -> Run:
    """Train a network, judge it beside the simple rivals, and ship it: the whole of `bottega train`.

    Args:
        keywords: as of `bottega.train`: `epochs=10`, `learning_rate=0.003`, `seed=7`, `metric="log_loss"` ...
            The network ships even where a rival is better (the verdict says so), unless `ship="best"`.
    Raises:
        BottegaError: a keyword is unknown or out of its range, or the network can't learn from these data.
    Example: docs/own-network.md.
    """
    known = [name for name in TrainKeywords.__annotations__ if name not in NOT_FOR_FIT]
    for name in keywords:
        if name not in known:
            near = nearest_name(name, known)
            where = next((said for said, names in _SAID_BY.items() if name in names), None)
            raise BottegaError(
                found=f"fit has no option {name!r}",
                expected=f"one of {', '.join(known)}",
                fix=f"give {name} to {where}" if where else f"did you mean {near!r}?" if near else f"leave out {name}",
            )
    elsewhere = {
        **{name: getattr(net.options, name) for name in SHAPE},
        **{name: getattr(data, name) for name in DIVISION},
        "network": net.kind,
    }
    options = train_options(data.source, {"ship": "network", **keywords, **elsewhere})
    calm_threads()
    try:
        from bottega.workflow.train import train
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is not None:
            raise missing from error
        raise
    record = train(data.source, options, network=net.source)
    if isinstance(record, TargetsRecord):
        raise BottegaError(found="several targets", expected="one for one network", fix="fit it once for each target")
    return Run(record)
