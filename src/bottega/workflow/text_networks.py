"""The candidates for texts that learn by gradients: networks from scratch, and the fine-tuned sentence network."""

from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.text_codes import CodedTexts
from bottega.data.text_tokens import Vocabulary, fit_vocabulary
from bottega.evaluation.baselines import fit_majority
from bottega.evaluation.forms import Form, Graph
from bottega.models.sentence import N_LAYERS, read_tensors
from bottega.models.text_plans import TEXT_PLANS
from bottega.shipping.minilm import minilm_classifier_graph
from bottega.shipping.text_networks import text_network_graph
from bottega.workflow.candidates import Setting
from bottega.workflow.text_features import numbered_tokens, piece_states
from bottega.workflow.text_task import TextTask

__all__ = ["FineTuned", "FromScratch"]

Integers = npt.NDArray[np.int64]
Fitted = tuple[Setting, Form | None]

N_TUNED = 3  # layers, the last ones; those below are computed once


class FromScratch:
    """A network on the words and signs of a text in their order; its vocabulary is that of the rows it is fitted on."""

    def __init__(self, task: TextTask, name: str) -> None:
        self.task = task
        self.plan = TEXT_PLANS[name]

    def tune(self, x: CodedTexts, y: Integers, x_val: CodedTexts, y_val: Integers) -> Fitted:
        """Train until the validation loss no longer falls."""
        from bottega.training.text_fit import HeldTexts

        if len(np.unique(y)) < 2:
            return {"epoch": 1}, None
        vocabulary, tokens = self._read(x)
        known = y_val >= 0
        held = HeldTexts(self._tokens(vocabulary, x_val[known]), y_val[known])
        fitted = self._fit(tokens, y, vocabulary, held)
        return {"epoch": fitted.epoch, "epochs": fitted.epochs}, self._form(vocabulary, fitted)

    def fit(self, x: CodedTexts, y: Integers, setting: Setting) -> Form:
        """Train as many epochs."""
        if len(np.unique(y)) < 2:
            return fit_majority(y, self.task.n_classes)
        vocabulary, tokens = self._read(x)
        return self._form(vocabulary, self._fit(tokens, y, vocabulary, setting["epoch"]))

    def _read(self, x: CodedTexts) -> tuple[Vocabulary, Integers]:
        keys = self.task.token_keys[x.rows]
        vocabulary = fit_vocabulary([keys], pairs=self.plan.body == "mean")
        return vocabulary, self._tokens(vocabulary, x)

    def _tokens(self, vocabulary: Vocabulary, x: CodedTexts) -> Integers:
        return numbered_tokens(x, self.task.prepared, vocabulary)

    def _fit(self, tokens: Integers, y: Integers, vocabulary: Vocabulary, until: Any) -> Any:
        from bottega.training.precision import working
        from bottega.training.text_fit import fit_text_network

        n, task = vocabulary.n_tokens, self.task
        with working(1, task.seed):  # on batches this small a second thread gains little, and would change last bits
            return fit_text_network(tokens, y, self.plan, n, n_classes=task.n_classes, seed=task.seed, until=until)

    def _form(self, vocabulary: Vocabulary, fitted: Any) -> Form:
        return Graph(text_network_graph(self.task.prepared, vocabulary, fitted.form))


class FineTuned:
    """The sentence network with its last layers trained on; the states below them are computed once for each text."""

    def __init__(self, task: TextTask) -> None:
        if task.network is None:
            raise ValueError("there is no sentence network to train on")
        self.task = task
        self.published = read_tensors(task.network.weights_path)
        self._states: dict[int, npt.NDArray[np.float16]] = {}  # by the row of the text

    def tune(self, x: CodedTexts, y: Integers, x_val: CodedTexts, y_val: Integers) -> Fitted:
        """Train, and keep the epoch with the least validation loss."""
        from bottega.training.encoder_fit import HeldStates

        if len(np.unique(y)) < 2:
            return {"epoch": 1}, None
        known = y_val >= 0
        fitted = self._fit(x, y, HeldStates(self._below(x_val[known]), y_val[known]))
        tried = [round(loss, 6) for loss in fitted.losses]
        return {"epoch": fitted.epoch, "layers": N_TUNED, "tried": tried}, self._form(fitted)

    def fit(self, x: CodedTexts, y: Integers, setting: Setting) -> Form:
        """Train as many epochs."""
        if len(np.unique(y)) < 2:
            return fit_majority(y, self.task.n_classes)
        return self._form(self._fit(x, y, setting["epoch"]))

    def _fit(self, x: CodedTexts, y: Integers, until: Any) -> Any:
        from bottega.training.encoder_fit import fit_upper_layers
        from bottega.training.precision import working

        states, task = self._below(x), self.task
        with working(task.threads, task.seed):
            return fit_upper_layers(states, y, self.published, N_TUNED, n_classes=task.n_classes, until=until)

    def _below(self, x: CodedTexts) -> list[npt.NDArray[np.float16]]:
        """States of each text below the trained layers."""
        new = x[np.array([row not in self._states for row in x.rows.tolist()], bool)]
        made = piece_states(new, self.published, N_LAYERS - N_TUNED, threads=self.task.threads)
        self._states.update(zip(new.rows.tolist(), made, strict=True))
        return [self._states[row] for row in x.rows.tolist()]

    def _form(self, fitted: Any) -> Form:
        weights = {**self.published, **fitted.weights}
        return Graph(minilm_classifier_graph(weights, fitted.head, fitted.bias))
