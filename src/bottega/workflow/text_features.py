"""Numbers of texts, made by the very graphs that ship: codes of characters, keys of terms, sentence features."""

import hashlib
from collections.abc import Callable, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bottega.data.store import Store
from bottega.data.text_characters import TextPreparation, codes_graph
from bottega.data.text_codes import CodedTexts, coded_texts
from bottega.data.text_terms import keys_graph
from bottega.data.text_tokens import MAX_TOKENS, Vocabulary, token_keys_graph, tokens_graph
from bottega.data.wordpiece import Pieces, known_pieces_graph, pieces_graph
from bottega.evaluation.forms import Graph
from bottega.evaluation.text_models import TermCounts, count_terms
from bottega.models.sentence import N_LAYERS, WIDTH, SentenceNetwork, read_tensors
from bottega.shipping.minilm import Tensors, minilm_graph, minilm_states_graph
from bottega.workflow.features import engine, machine_key

__all__ = [
    "N_FEATURES",
    "SentenceGraphs",
    "character_codes",
    "known_by_form",
    "known_by_network",
    "numbered_tokens",
    "piece_states",
    "sentence_features",
    "sentence_graphs",
    "term_counts",
    "token_keys",
    "word_pieces",
]

Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
BATCH = 16  # texts of about one length
CODES_BATCH = 64
CODES_AT_ONCE = 1 << 18  # numbers: what graphs make of them takes a hundred times the room
LAYERS = (N_LAYERS - 3, N_LAYERS - 2, N_LAYERS - 1, N_LAYERS)  # a linear layer on these does better than on the last
N_FEATURES = WIDTH * len(LAYERS)
SAVE_EVERY = 2_000  # texts: what an interruption may cost


def character_codes(texts: Sequence[str], prepared: TextPreparation) -> CodedTexts:
    """The codes of every text."""
    return _coded(texts, codes_graph(prepared))


def term_counts(codes: CodedTexts, prepared: TextPreparation) -> TermCounts:
    """Every term of every text."""
    session = engine(keys_graph(prepared), threads=1)
    jobs = codes.by_length(CODES_AT_ONCE)
    counts = count_terms(session.run(None, {"codes": codes[job].numbers()}) for job in jobs)
    return counts.of(np.argsort(np.concatenate([np.zeros(0, np.int64), *jobs])))


def token_keys(codes: CodedTexts, prepared: TextPreparation) -> npt.NDArray[np.int64]:
    """(N, W) keys of the words and signs of every text, as many as networks read."""
    return _joined(*_by_length(codes, token_keys_graph(prepared), MAX_TOKENS))


def numbered_tokens(codes: CodedTexts, prepared: TextPreparation, vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
    """(N, T) tokens of every text, 0 for none; those of pairs behind those of words."""
    jobs, parts = _by_length(codes, tokens_graph(prepared, vocabulary), None)
    if not len(vocabulary.pairs) or not parts:
        return _joined(jobs, parts)
    halves = [np.split(part, [(part.shape[1] + 1) // 2], axis=1) for part in parts]
    words, pairs = zip(*halves, strict=True)
    return np.hstack([_joined(jobs, words), _joined(jobs, pairs)])


def _by_length(codes: CodedTexts, graph: bytes, most: int | None) -> tuple[list[Places], list[npt.NDArray[np.int64]]]:
    """Places of texts of about one length, and what a graph of codes answers on them, at most so many columns."""
    session = engine(graph, threads=1)
    jobs = codes.by_length(CODES_AT_ONCE)
    return jobs, [session.run(None, {"codes": codes[job].numbers()})[0][:, :most] for job in jobs]


def _joined(jobs: Sequence[Places], parts: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """The rows of all parts at their places, filled up with 0."""
    width = max((part.shape[1] for part in parts), default=1)
    found = np.zeros((sum(map(len, jobs)), width), np.int64)
    for job, part in zip(jobs, parts, strict=True):
        found[job, : part.shape[1]] = part
    return found


@dataclass(frozen=True)
class SentenceGraphs:
    """The way from a text to its features: cut into word pieces, which are then described.

    Attributes:
        cutting: `text` string [N] -> `pieces` int64 [N, T].
        describing: `pieces` -> `features` float32 [N, D].
    """

    cutting: bytes
    describing: bytes

    def name(self) -> str:
        """What decides the features, as a name for those that are kept."""
        return hashlib.sha256(self.cutting + self.describing).hexdigest()


def sentence_graphs(network: SentenceNetwork) -> SentenceGraphs:
    """Both steps as they ship."""
    describing = minilm_graph(read_tensors(network.weights_path), LAYERS)
    return SentenceGraphs(pieces_graph(Pieces(network.vocabulary)), describing)


def sentence_features(
    texts: Sequence[str],
    hashes: npt.NDArray[np.uint8],
    graphs: SentenceGraphs,
    *,
    store: Store,
    threads: int,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> Floats:
    """(N, D) features of every text, made or fetched from what an earlier run kept.

    Texts of about as many pieces are run together, on one thread each: a row doesn't depend on how many workers there
    are.

    Args:
        hashes: (N, 32) of the texts; white space doesn't count, as it doesn't for the network.
        tell: called with the number of texts that are done, and of all.
    """
    namespace = f"features/{graphs.name()}/{machine_key()}"
    found, rows = store.get(namespace, hashes, (N_FEATURES,), np.float32)
    missing = np.flatnonzero(~found)
    if not len(missing):
        return rows
    pieces = _coded([texts[i] for i in missing.tolist()], graphs.cutting)
    order = np.argsort(pieces.lengths, kind="stable")
    session = engine(graphs.describing, threads=1)

    def work(job: Places) -> Floats:
        made: Floats = session.run(None, {"pieces": pieces[job].numbers().astype(np.int64)})[0]
        return made

    jobs = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    unsaved: list[int] = []
    n_done = len(texts) - len(missing)
    with ThreadPoolExecutor(threads) as pool:
        try:
            for job, features in zip(jobs, pool.map(work, jobs), strict=True):
                rows[missing[job]] = features
                unsaved += missing[job].tolist()
                n_done += len(job)
                tell(n_done, len(texts))
                if len(unsaved) >= SAVE_EVERY:
                    store.put(namespace, hashes[unsaved], rows[unsaved])
                    unsaved = []
        finally:
            pool.shutdown(cancel_futures=True)
            if unsaved:  # also when interrupted: nothing is computed twice
                store.put(namespace, hashes[unsaved], rows[unsaved])
    return rows


def known_by_form(form: Graph, x: CodedTexts) -> npt.NDArray[np.bool_]:
    """(n,) whether a fitted form knows anything of a text."""
    session, found = engine(form.data, threads=1), np.zeros(len(x), bool)
    for job in x.by_length(CODES_AT_ONCE):
        found[job] = session.run(["known"], {"x": x[job].matrix()})[0]
    return found


def known_by_network(texts: Sequence[str], network: SentenceNetwork) -> npt.NDArray[np.bool_]:
    """(n,) whether the sentence network has a piece of a text."""
    session, found = engine(known_pieces_graph(Pieces(network.vocabulary)), threads=1), np.zeros(len(texts), bool)
    for start in _starts(texts, CODES_BATCH):
        part = session.run(None, {"text": _strings(texts[start : start + CODES_BATCH])})[0]
        found[start : start + len(part)] = part
    return found


def word_pieces(texts: Sequence[str], network: SentenceNetwork) -> CodedTexts:
    """The numbers of the pieces of every text, as the sentence network reads it."""
    return _coded(texts, pieces_graph(Pieces(network.vocabulary)))


def _coded(texts: Sequence[str], graph: bytes) -> CodedTexts:
    """Every text as the numbers that a graph makes of strings, 0 for none; texts of about one length at a time."""
    session = engine(graph, threads=1)
    order = np.argsort([len(text) for text in texts], kind="stable").astype(np.int64)
    jobs = [order[start : start + CODES_BATCH] for start in _starts(order, CODES_BATCH)]
    parts = (session.run(None, {"text": _strings([texts[i] for i in job.tolist()])})[0] for job in jobs)
    return coded_texts([part.astype(np.uint16, copy=False) for part in parts], order)


def piece_states(pieces: CodedTexts, weights: Tensors, layer: int, *, threads: int) -> list[npt.NDArray[np.float16]]:
    """What a layer of the sentence network makes of each piece: one (pieces, 384) for each text."""
    session = engine(minilm_states_graph(weights, layer), threads=1)
    order = np.argsort(pieces.lengths, kind="stable")
    jobs = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]

    def work(job: Places) -> npt.NDArray[np.float16]:
        made: Floats = session.run(None, {"pieces": pieces[job].numbers().astype(np.int64)})[0]
        return made.astype(np.float16)

    found: list[npt.NDArray[np.float16]] = [np.zeros((0, WIDTH), np.float16)] * len(pieces)
    with ThreadPoolExecutor(threads) as pool:
        for job, states in zip(jobs, pool.map(work, jobs), strict=True):
            for i, one in zip(job.tolist(), states, strict=True):
                found[i] = one[: pieces.lengths[i]].copy()
    return found


def _starts(texts: Sized, step: int) -> range:
    return range(0, len(texts), step)


def _strings(texts: Sequence[str]) -> npt.NDArray[np.object_]:
    return np.array(texts, dtype=object)
