"""Training on pictures: pretrained networks as frozen eyes, simple rivals, and a network of one's own."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from bottega.data.store import Store
from bottega.evaluation.calibration import apply_temperature
from bottega.evaluation.evidence import Evidence
from bottega.problem.records import Progress, SeedSpread
from bottega.workflow.account import Account, give_account
from bottega.workflow.candidates import FEWEST_VALIDATION, Developed, Rules, answer
from bottega.workflow.choose_network import OwnChoice, choose_network, own_names
from bottega.workflow.clock import TimeBudget
from bottega.workflow.first_fit import take_reading
from bottega.workflow.illustrate import Outside, Use, gather
from bottega.workflow.judge import INNER_K
from bottega.workflow.options import TrainOptions
from bottega.workflow.own_network import VIEW, Bench, OwnNetwork
from bottega.workflow.pictures import PREPARED, PRESETS, PictureViews
from bottega.workflow.readings import keep
from bottega.workflow.recipe import Recipe
from bottega.workflow.run_folder import CHECKPOINT, RunFolder
from bottega.workflow.ship import Shipped, Small, ship, ship_small, usage
from bottega.workflow.specs import missing_specs, picture_specs, require_name
from bottega.workflow.training_run import Contest, Training
from bottega.workflow.trial import Looked, Trial, look_at
from bottega.workflow.variation import Rows, seed_spread

__all__ = ["PictureTraining"]


class PictureTraining(Training[Looked]):
    """One training on pictures.

    Args:
        network: a torch class or module of the user's own, for `options.network` of the form module:Class.
    """

    def __init__(
        self,
        data: str,
        options: TrainOptions,
        progress: Progress | None,
        *,
        begun: Recipe | None = None,
        network: Any = None,
    ) -> None:
        super().__init__(data, options, progress, begun=begun)
        self.network = network
        self.store = Store()
        self.chosen: OwnChoice | None = None  # known once the data were looked at
        self.own: OwnNetwork | None = None
        self.vectors: dict[str, npt.NDArray[Any]] = {}
        self._views: PictureViews | None = None

    def look(self) -> Looked:
        """Read DATA and divide it."""
        require_name(self.options.ship, PRESETS[self.options.preset], own_names(self.options))
        return look_at(self.data, self.options, store=self.store, progress=self.progress)

    def describe(self, looked: Looked) -> tuple[dict[str, Any], dict[str, Any]]:
        """Which network is trained, if one is, and what happens to a raw picture."""
        begun = None if self.begun is None else self.begun.training
        self.chosen = chosen = choose_network(self.options, looked.everything, begun, self.network)
        if chosen is None:
            require_name(self.options.ship, PRESETS[self.options.preset])
            return {}, PREPARED
        views = PRESETS[self.options.preset] if chosen.beside else []
        require_name(self.options.ship, views, [chosen.architecture.name])  # now that it is known what is trained
        return chosen.facts(), chosen.preparation()

    def enter(self, looked: Looked, folder: RunFolder) -> Contest:
        """Describe the pictures as the presets say."""
        self._views = views = PictureViews(looked.everything, self.store, self.threads, self.progress)
        self.own = own = self._own_network(looked, folder)
        frozen = self.chosen is None or self.chosen.beside
        wanted = views.choose(self.options, self.clock, folder) if frozen else []
        self.vectors = {name: views.vectors(name) for name in ["plain", *wanted]}
        if self.chosen is not None:
            self.vectors[VIEW] = self.chosen.examples(views)
        material = looked.material(self.vectors)
        specs = picture_specs(
            [*material.views],
            material.n_classes,
            metric=self.options.metric,
            seed=self.options.seed,
            threads=self.threads,
        )
        specs += [own.spec()] if own is not None else []
        return Contest(material, specs, missing_specs(views.unaffordable))

    def _own_network(self, looked: Looked, folder: RunFolder) -> OwnNetwork | None:
        """The network of one's own, where that is what is trained."""
        if self.chosen is None:
            return None
        n_fits = self._n_fits(looked)
        bench = Bench(
            threads=self.threads,
            device=self.chosen.device,
            checkpoint_dir=folder.file(CHECKPOINT),
            budget=TimeBudget(self.clock, folder, n_fits=n_fits),
            keeps_best=n_fits == 1,
            tell=lambda name, fit, line: folder.tell("epoch", network=name, fit=fit, **asdict(line)),
            settled=lambda name, fit, facts: folder.tell("settings", network=name, fit=fit, **facts),
            progress=self.progress or (lambda *_: None),
        )
        return OwnNetwork(self.chosen.architecture, self.options, len(looked.classes), bench)

    def _n_fits(self, looked: Looked) -> int:
        """About how often the network will be trained: once, once more for each fold, or for the folds of each fold."""
        divided = looked.split
        if divided.source == "cv":
            return self.n_repeats() * 5 * (INNER_K + 2) + 6
        return 1 if len(divided.rows("val")) >= FEWEST_VALIDATION else 6

    def stoppable(self) -> AbstractContextManager[object]:
        """A network of one's own ends its epoch first."""
        return self.own.stopped_by_interrupt() if self.own is not None else nullcontext()

    @property
    def is_stopped(self) -> bool:
        """Whether the network of one's own was interrupted."""
        return self.own is not None and self.own.is_stopped

    def refits(self, looked: Looked, developed: Developed) -> bool:
        """Training a network of one's own again takes too long."""
        return looked.split.source == "held-out" and developed.chosen.spec.view != VIEW

    def account(self, trial: Trial[Looked], folder: RunFolder, train: Any, rules: Rules) -> Account:
        """The run in words, with what the training of a network of one's own shows."""
        looked = trial.looked
        account = give_account(
            looked.look,
            trial.judged,
            trial.developed,
            trial.candidates,
            metric=self.options.metric,
            source=looked.split.source,
        )
        if self.own is None:
            return account
        reading = take_reading(trial.material, self.own, trial.developed, train, rules)
        if reading is None:
            return account
        reading = replace(reading, others=account.findings)
        keep(folder, reading)
        return replace(account, findings=reading.findings())

    def repeat(self, trial: Trial[Looked], folder: RunFolder) -> SeedSpread | None:
        """The network of one's own under other seeds."""
        divided = trial.looked.split
        if self.own is None or self.options.seeds < 2 or divided.source == "cv":
            return None
        rows = Rows(divided.rows("train"), divided.rows("val"), divided.rows("test"))
        n_seeds, tell = self.options.seeds, self.teller(folder)
        return seed_spread(trial.material, self.own, trial.developed, rows, n_seeds=n_seeds, tell=tell)

    def ship(self, trial: Trial[Looked]) -> Shipped:
        """The file, replayed on the raw test pictures."""
        if self._views is None:
            raise RuntimeError("there is nothing to ship before the pictures were described")
        view, chosen = trial.developed.chosen.spec.view, self.chosen
        if chosen is None:
            return ship(trial, self._views.below(view, None))
        return ship(trial, self._views.below(view, chosen.frame, chosen.kept))

    def shrink(self, shipped: Shipped, trial: Trial[Looked]) -> Small | None:
        """The int8 file."""
        return ship_small(shipped, trial)

    def usage(self, shipped: Shipped, path: Path, trial: Trial[Looked]) -> dict[str, Any]:
        """Code in several languages, and what the file does inside."""
        return usage(shipped, path, trial.looked.classes)

    def evidence(self, trial: Trial[Looked], use: Use) -> Evidence:
        """Pictures, counts and curves."""
        return gather(trial, self._outside(trial), use, self.own)

    def answers(self, trial: Trial[Looked]) -> tuple[list[str], Iterable[Sequence[str]]]:
        """Name, label, answer and probabilities of each test picture."""
        return trial.class_answers()

    def _outside(self, trial: Trial[Looked]) -> Outside | None:
        """How the model answers pictures that carry no label."""
        rows, developed = trial.looked.outside, trial.developed
        if len(rows) == 0:
            return None
        chosen = developed.chosen
        logits = answer(chosen.form, self.vectors[chosen.spec.view][rows], trial.material.n_classes)
        probabilities = apply_temperature(logits, developed.temperature)
        return Outside(rows, probabilities, probabilities.max(1) >= developed.threshold)
