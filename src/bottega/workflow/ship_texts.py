"""From a chosen candidate of texts to the file: built, asked for every test text, sealed with its card."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.table_content import table_digests
from bottega.data.text_characters import TextPreparation
from bottega.data.wordpiece import Pieces
from bottega.errors import BottegaError
from bottega.evaluation.calibration import apply_temperature
from bottega.models.sentence import SentenceNetwork, read_tensors
from bottega.problem.table import ColumnSpec
from bottega.shipping import bloom
from bottega.shipping.minilm import minilm_graph
from bottega.shipping.model_file import Card, TableCard, Weights, class_outputs, seal
from bottega.shipping.predictor import open_session
from bottega.shipping.table_check import golden_rows
from bottega.shipping.table_predictor import ask_rows
from bottega.shipping.text_graph import TextInput, text_classifier
from bottega.workflow.candidates import answer
from bottega.workflow.ship import Shipped, card_facts, thresholds_of, used_rows
from bottega.workflow.text_features import LAYERS
from bottega.workflow.text_specs import CODES, SENTENCE
from bottega.workflow.text_trial import LookedTexts
from bottega.workflow.trial import Trial

__all__ = ["ship_texts", "text_usage"]

TOLERANCE = 1e-4  # of a probability: float32 through six layers, summed in another order
N_REAL_GOLDEN = 6
GOLDEN = (
    "The quick brown fox jumps over the lazy dog.",
    "When does the next train to Firenze leave, and what does it cost?",
    "FREE!!! Call 0800 123 456 now and win 1,000 €",
    "Çok güzel, größer, naïve, 你好, مرحبا, हिन्दी 😀",
    "<b>not</b> bad & not good: $x^2$ …",
    "",
)
BATCH = 64


def ship_texts(trial: Trial[LookedTexts], prepared: TextPreparation, network: SentenceNetwork | None) -> Shipped:
    """Build the file and prove it.

    Raises:
        BottegaError: the file does not answer as the judged model did: nothing ships.
    """
    looked, developed = trial.looked, trial.developed
    view = developed.chosen.spec.view
    inside = network if view != CODES else None
    graph, thresholds = _graph(trial, prepared, inside), thresholds_of(developed)
    columns = (ColumnSpec("text", "text", "string", (looked.source.columns or ("text",))[0]),)
    session = open_session(graph, threads=1)
    largest = _replay(trial, session, columns)
    used = used_rows(looked.split)
    tested = trial.judged.tested.rows[trial.judged.tested.once][:N_REAL_GOLDEN]
    golden = GOLDEN if trial.options.golden == "made-up" else tuple(looked.texts[i] for i in tested.tolist())
    outputs = class_outputs(len(looked.classes))
    card = Card(
        task="classification",
        modality="texts",
        outputs=outputs,
        thresholds=thresholds,
        weights=() if inside is None else (Weights(inside.name, inside.licence, inside.sha256, inside.source),),
        golden=golden_rows(session, {columns[0].column: _strings(golden)}, columns, [one.name for one in outputs]),
        tolerance=TOLERANCE,
        filter=bloom.build(_hashes(looked, columns[0].column)[used]) if trial.options.filter else None,
        inputs=columns,
        table=TableCard(looked.source.target or "", looked.unused),
        **card_facts(trial),
    )
    words = {CODES: "case folding and the counting of words and characters", SENTENCE: "the cutting into word pieces"}
    what = words.get(view, "the counting of words and the cutting into word pieces")
    return Shipped(seal(graph, card), graph, card, largest, what, has_network=False)


def text_usage(shipped: Shipped, path: Path) -> dict[str, Any]:
    """What the report says about the file: how to ask it from a terminal and from Python, what it does inside."""
    python = (
        f"import bottega\n\nmodel = bottega.load({str(path)!r})\nanswer = model({GOLDEN[1]!r})\n"
        "print(answer.label, answer.probability, answer.sure)\n"
    )
    bare = (
        "import numpy as np\nimport onnxruntime\n\n"
        f"session = onnxruntime.InferenceSession({str(path)!r})\n"
        f"label, probabilities, sure = session.run(None, {{'text': np.array([{GOLDEN[1]!r}], object)}})\n"
    )
    return {
        "snippets": {"Command line": f"bottega predict {path} new.csv --csv", "Python": python, "ONNX Runtime": bare},
        "model_file": {"bytes": len(shipped.data), "sha256": hashlib.sha256(shipped.data).hexdigest()},
        "prepared": f"Raw strings go in: {shipped.words} are inside; then {shipped.card.chosen!r}; "
        "label, probabilities and `sure` come out.",
    }


def _graph(trial: Trial[LookedTexts], prepared: TextPreparation, network: SentenceNetwork | None) -> bytes:
    developed = trial.developed
    inside = None
    if network is not None:
        inside = Pieces(network.vocabulary), minilm_graph(read_tensors(network.weights_path), LAYERS)
    below = TextInput(prepared if developed.chosen.spec.view != SENTENCE else None, inside)
    return text_classifier(
        below,
        developed.chosen.form,
        trial.looked.classes,
        temperature=developed.temperature,
        threshold=thresholds_of(developed).sure,
    )


def _replay(trial: Trial[LookedTexts], session: Any, columns: tuple[ColumnSpec, ...]) -> float:
    """Compare the file's answers on raw texts with the judged ones, on every test text; returns the largest gap.

    Raises:
        BottegaError: it is over the tolerance.
    """
    tested, chosen = trial.judged.tested, trial.developed.chosen
    rows = tested.rows[tested.once]
    rows = rows[np.argsort([len(trial.looked.texts[i]) for i in rows.tolist()], kind="stable")]
    logits = answer(chosen.form, trial.material.views[chosen.spec.view][rows], trial.material.n_outputs)
    expected = apply_temperature(logits, trial.developed.temperature)
    gaps = np.zeros(len(rows))
    for start in range(0, len(rows), BATCH):
        texts = _strings([trial.looked.texts[i] for i in rows[start : start + BATCH].tolist()])
        found = ask_rows(session, {columns[0].column: texts}, columns, ["probabilities"])["probabilities"]
        gaps[start : start + BATCH] = np.abs(found - expected[start : start + BATCH]).max(1)
    bad = np.flatnonzero(~(gaps <= TOLERANCE))
    if len(bad):
        raise BottegaError(
            found=f"{len(bad)} of {len(gaps)} test texts get another answer from the file than in training, "
            f"by up to {gaps.max():.2g}",
            expected=f"probabilities within {TOLERANCE:g}",
            fix="nothing shipped; this is a fault of ours: please report it with the run's recipe.toml",
            where=trial.looked.names[int(rows[bad[0]])],
        )
    return float(gaps.max()) if len(gaps) else 0.0


def _hashes(looked: LookedTexts, column: str) -> npt.NDArray[np.uint8]:
    """Of the texts as cells of a table: what `evaluate` looks up."""
    digests = table_digests(pl.DataFrame({column: looked.texts}), [column])
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)


def _strings(texts: Any) -> npt.NDArray[np.object_]:
    return np.array(texts, dtype=object)
