"""Texts are asked in batches of about one length, and answered in their own order."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bottega.data.text_characters import fit_text_preparation
from bottega.evaluation.forms import Graph
from bottega.evaluation.text_models import fit_bayes, fit_terms
from bottega.problem.table import ColumnSpec
from bottega.shipping.predictor import open_session
from bottega.shipping.text_graph import TextInput, text_classifier
from bottega.shipping.text_predictor import MAX_TEXTS, ask_texts
from bottega.shipping.text_tails import TermWeights, text_scores_graph
from bottega.workflow.text_features import character_codes, term_counts
from text_material import made_up_texts

COLUMN = ColumnSpec("text", "text", "string", "said")
OUTPUTS = ["label", "probabilities", "sure"]


class Watched:
    """A session that notes the lengths of what it is asked."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.asked: list[list[int]] = []

    def run(self, outputs: list[str], inputs: dict[str, npt.NDArray[Any]]) -> Any:
        self.asked.append([len(text) for text in inputs["text"]])
        return self.session.run(outputs, inputs)


def trained(threshold: float) -> Any:
    """A session of a model of words."""
    texts, labels = made_up_texts(80)
    y = np.array([label == "praise" for label in labels], np.int64)
    prepared = fit_text_preparation(texts)
    counts = term_counts(character_codes(texts, prepared), prepared)
    terms = fit_terms(counts, np.arange(80), "words")
    layer = fit_bayes(terms.matrix(counts, np.arange(80)), y, 2, 0.1)
    form = Graph(text_scores_graph(prepared, [TermWeights(terms.terms, layer.weight)], layer.bias))
    below = TextInput(prepared, None)
    return open_session(text_classifier(below, form, ("complaint", "praise"), temperature=1.0, threshold=threshold))


@pytest.fixture(scope="module")
def session() -> Any:
    return trained(0.9)


@pytest.mark.parametrize("text", ["", " \n", "?!", "zzz qqq", "你好"])
def test_a_text_without_a_known_word_is_never_sure(text: str) -> None:
    texts = np.array(["a lovely shop", text, "Broken and late"], object)
    _, probabilities, sure = trained(0.0).run(OUTPUTS, {"text": texts})
    assert sure.tolist() == [True, False, True]
    assert probabilities[1].max() > 0.4
    assert trained(0.0).run(["sure"], {"text": texts[1:2]})[0].tolist() == [False]


def test_answers_stand_in_the_order_of_the_texts_whatever_their_lengths(session: Any) -> None:
    texts = [" ".join([text] * (1 + i % 7)) for i, text in enumerate(made_up_texts(150, seed=1)[0])]
    watched = Watched(session)
    found = ask_texts(watched, {"said": np.array(texts, object)}, [COLUMN], OUTPUTS)
    alone = [session.run(OUTPUTS, {"text": np.array([text], object)}) for text in texts]
    assert found["label"].tolist() == [label[0] for label, _, _ in alone]
    np.testing.assert_allclose(found["probabilities"], [shares[0] for _, shares, _ in alone], atol=1e-6)
    assert [len(one) for one in watched.asked] == [MAX_TEXTS, MAX_TEXTS, 150 - 2 * MAX_TEXTS]
    lengths = [length for one in watched.asked for length in one]
    assert lengths == sorted(lengths)


def test_no_text_has_no_answer(session: Any) -> None:
    found = ask_texts(session, {"said": np.zeros(0, object)}, [COLUMN], OUTPUTS)
    assert found["probabilities"].shape == (0, 2)
