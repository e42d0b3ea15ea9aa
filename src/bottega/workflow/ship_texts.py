"""From a chosen candidate of texts to the file: built, asked for every test text, sealed with its card."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_content import table_digests
from bottega.data.table_like import Cells, column_specs
from bottega.data.table_preparation import Encoding
from bottega.data.text_characters import TextPreparation
from bottega.data.wordpiece import Pieces
from bottega.errors import BottegaError
from bottega.evaluation.calibration import apply_temperature
from bottega.models.sentence import SentenceNetwork, read_tensors
from bottega.problem.table import ColumnSpec
from bottega.shipping import bloom
from bottega.shipping.minilm import minilm_graph, pieces_graph
from bottega.shipping.model_file import Card, GoldenRow, TableCard, Weights, class_outputs, seal
from bottega.shipping.predictor import open_session
from bottega.shipping.table_check import SENTENCES, golden_rows, made_up_rows
from bottega.shipping.text_graph import Beside, TextInput, text_classifier
from bottega.shipping.text_predictor import ask_texts
from bottega.workflow.candidates import answer
from bottega.workflow.ship import Shipped, card_facts, thresholds_of, used_rows
from bottega.workflow.text_features import LAYERS
from bottega.workflow.text_specs import BOTH, CODES, PIECES, SENTENCE
from bottega.workflow.text_trial import LookedTexts
from bottega.workflow.trial import Trial

__all__ = ["ship_texts", "text_usage"]

TOLERANCE = 1e-4  # of a probability: float32 through six layers, summed in another order
N_REAL_GOLDEN = 6
GOLDEN = (*SENTENCES, "")
_TYPES = {"string": "object", "float32": "np.float32"}


def ship_texts(
    trial: Trial[LookedTexts],
    prepared: TextPreparation,
    network: SentenceNetwork | None,
    beside: Beside | None = None,
) -> Shipped:
    """Build the file and prove it.

    Args:
        beside: columns that the candidates on features see.
    Raises:
        BottegaError: the file does not answer as the judged model did: nothing ships.
    """
    looked, developed = trial.looked, trial.developed
    view = developed.chosen.spec.view
    inside = network if view in (SENTENCE, BOTH, PIECES) else None
    beside = beside if view in (SENTENCE, BOTH) else None
    columns = _columns(looked, beside)
    graph, thresholds = _graph(trial, prepared, inside, columns, beside), thresholds_of(developed)
    largest = _replay(trial, open_session(graph), columns)
    session = open_session(graph, threads=1)
    used = used_rows(looked.split)
    taken = {one.column for one in columns}
    outputs = class_outputs(len(looked.classes))
    card = Card(
        task="classification",
        modality="texts",
        outputs=outputs,
        thresholds=thresholds,
        weights=() if inside is None else (Weights(inside.name, inside.licence, inside.sha256, inside.source),),
        golden=golden_rows(session, _golden(trial, columns), columns, [one.name for one in outputs]),
        tolerance=TOLERANCE,
        filter=bloom.build(_hashes(looked, columns)[used]) if trial.options.filter else None,
        inputs=columns,
        table=TableCard(looked.source.target or "", tuple(one for one in looked.read.columns if one not in taken)),
        **card_facts(trial),
    )
    numbering = "numbering of words" if developed.chosen.spec.kind == "network" else "counting of words and characters"
    words = {CODES: f"case folding and the {numbering}"}
    words |= dict.fromkeys((SENTENCE, PIECES), "the cutting into word pieces")
    what = words.get(view, "the counting of words and the cutting into word pieces")
    return Shipped(seal(graph, card), graph, card, largest, what, has_network=False)


def text_usage(shipped: Shipped, path: Path) -> dict[str, Any]:
    """What the report says about the file: how to ask it from a terminal and from Python, what it does inside."""
    columns = [one for one in shipped.card.inputs if isinstance(one, ColumnSpec)]
    first = next(one for one in shipped.card.golden if isinstance(one, GoldenRow))
    cells = {one.column: GOLDEN[1] if one.kind == "text" else first.cells[one.column] for one in columns}
    given, goes_in = repr(GOLDEN[1]), "Raw strings go in"
    if len(columns) > 1:
        given, goes_in = repr(cells), f"{len(columns)} raw columns go in, one input each"
    fed = ", ".join(_fed(one, cells[one.column]) for one in columns)
    python = (
        f"import bottega\n\nmodel = bottega.load({str(path)!r})\nanswer = model({given})\n"
        "print(answer.label, answer.probability, answer.sure)\n"
    )
    bare = (
        "import numpy as np\nimport onnxruntime\n\n"
        f"session = onnxruntime.InferenceSession({str(path)!r})\n"
        f"label, probabilities, sure = session.run(None, {{{fed}}})\n"
    )
    return {
        "snippets": {"Command line": f"bottega predict {path} new.csv --csv", "Python": python, "ONNX Runtime": bare},
        "model_file": {"bytes": len(shipped.data), "sha256": hashlib.sha256(shipped.data).hexdigest()},
        "prepared": f"{goes_in}: {shipped.words} are inside; then {shipped.card.chosen!r}; "
        "label, probabilities and `sure` come out.",
    }


def _fed(one: ColumnSpec, cell: str | float | None) -> str:
    """An input as ONNX Runtime takes it, which has no strings that are missing."""
    shown = "" if cell is None and one.dtype == "string" else cell
    return f"{one.name!r}: np.array([{shown!r}], {_TYPES[one.dtype]})"


def _columns(looked: LookedTexts, beside: Beside | None) -> tuple[ColumnSpec, ...]:
    """The inputs of the file: `text`, or the columns that are joined, and those beside them."""
    read = looked.read
    specs: tuple[ColumnSpec, ...] = ()
    if beside is not None and read.table is not None:
        used = np.flatnonzero(used_rows(looked.split))
        specs = column_specs(read.table, beside.prepared, {name: cells[used] for name, cells in looked.cells.items()})
    own = tuple(Encoding(name, "category").input_name for name in read.inputs)
    names = own if len(own) > 1 or "text" in [one.name for one in specs] else ("text",)
    texts = (ColumnSpec(name, "text", "string", column) for name, column in zip(names, read.inputs, strict=True))
    return (*texts, *specs)


def _graph(
    trial: Trial[LookedTexts],
    prepared: TextPreparation,
    network: SentenceNetwork | None,
    columns: Sequence[ColumnSpec],
    beside: Beside | None,
) -> bytes:
    developed = trial.developed
    inside = None
    if network is not None:
        fitted = developed.chosen.spec.view == PIECES  # the form holds the network
        graph = pieces_graph() if fitted else minilm_graph(read_tensors(network.weights_path), LAYERS)
        inside = Pieces(network.vocabulary), graph
    names = [one.name for one in columns if one.kind == "text"]
    below = TextInput(prepared if developed.chosen.spec.view in (CODES, BOTH) else None, inside, names, beside)
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
    logits = answer(chosen.form, trial.material.views[chosen.spec.view][rows], trial.material.n_outputs)
    expected = apply_temperature(logits, trial.developed.temperature)
    cells = {one.column: trial.looked.cells[one.column][rows] for one in columns}
    gaps = np.abs(ask_texts(session, cells, columns, ["probabilities"])["probabilities"] - expected).max(1)
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


def _golden(trial: Trial[LookedTexts], columns: Sequence[ColumnSpec]) -> Cells:
    """Stock sentences, another one first in each column, beside cells drawn from training; or real test rows."""
    looked, tested = trial.looked, trial.judged.tested
    cells = {one.column: looked.cells[one.column] for one in columns}
    if trial.options.golden != "made-up":
        rows = tested.rows[tested.once][:N_REAL_GOLDEN]
        return {name: values[rows] for name, values in cells.items()}
    rest = [one for one in columns if one.kind != "text"]
    drawn = made_up_rows(cells, np.flatnonzero(used_rows(looked.split)), rest)
    texts = [one.column for one in columns if one.kind == "text"]
    found = {name: np.array([*GOLDEN[i:], *GOLDEN[:i]], object) for i, name in enumerate(texts)}
    return found | {name: values[-len(GOLDEN) :] for name, values in drawn.items()}


def _hashes(looked: LookedTexts, columns: Sequence[ColumnSpec]) -> npt.NDArray[np.uint8]:
    """Of the cells, as rows of a table: what `evaluate` looks up."""
    digests = table_digests(looked.frame, [one.column for one in columns])
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
