"""Numbers of texts, made by the very graphs that ship: codes of characters, keys of terms, sentence features."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from bottega.data.store import Store
from bottega.data.text_characters import PAD, TextGraphBuilder, TextPreparation, codes_graph, text_input
from bottega.data.text_terms import keys_graph
from bottega.data.text_tokens import MAX_TOKENS, Vocabulary, token_keys_graph, tokens_graph
from bottega.data.wordpiece import Pieces, add_pieces, pieces_graph
from bottega.evaluation.text_models import TermCounts, count_terms
from bottega.models.sentence import N_LAYERS, WIDTH, SentenceNetwork, read_tensors
from bottega.shipping.minilm import Tensors, minilm_graph, minilm_states_graph
from bottega.workflow.features import engine, machine_key

__all__ = [
    "N_FEATURES",
    "Pieces16",
    "character_codes",
    "numbered_tokens",
    "piece_states",
    "sentence_features",
    "sentence_graph",
    "term_counts",
    "token_keys",
    "word_pieces",
]

Codes = npt.NDArray[np.uint16]
Pieces16 = npt.NDArray[np.uint16]  # (N, T) numbers of word pieces, of which there are 30,522; 0 behind the end
Floats = npt.NDArray[np.float32]
BATCH = 16  # texts of about one length
CODES_BATCH = 64
LAYERS = (N_LAYERS - 3, N_LAYERS - 2, N_LAYERS - 1, N_LAYERS)  # a linear layer on these does better than on the last
N_FEATURES = WIDTH * len(LAYERS)
SAVE_EVERY = 2_000  # texts: what an interruption may cost


def character_codes(texts: Sequence[str], prepared: TextPreparation) -> Codes:
    """(N, L) codes of every text, L as long as the longest."""
    session = engine(codes_graph(prepared), threads=1)
    parts = [session.run(None, {"text": _strings(texts[i : i + CODES_BATCH])})[0] for i in _starts(texts, CODES_BATCH)]
    width = max((part.shape[1] for part in parts), default=1)
    codes = np.full((len(texts), width), PAD, np.uint16)
    for start, part in zip(_starts(texts, CODES_BATCH), parts, strict=True):
        codes[start : start + len(part), : part.shape[1]] = part
    return codes


def term_counts(codes: Codes, prepared: TextPreparation) -> TermCounts:
    """Every term of every text."""
    session = engine(keys_graph(prepared), threads=1)

    def keys() -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        for start in range(0, len(codes), CODES_BATCH):
            part = codes[start : start + CODES_BATCH]
            width = max(1, int((part != PAD).sum(1).max()))
            words, runs = session.run(None, {"codes": np.ascontiguousarray(part[:, :width])})
            yield words, runs

    return count_terms(keys())


def token_keys(codes: Codes, prepared: TextPreparation) -> npt.NDArray[np.int64]:
    """(N, W) keys of the words and signs of every text, as many as networks read."""
    return _joined(_by_length(codes, token_keys_graph(prepared), MAX_TOKENS))


def numbered_tokens(codes: Codes, prepared: TextPreparation, vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
    """(N, T) tokens of every text, 0 for none; those of pairs behind those of words."""
    parts = _by_length(codes, tokens_graph(prepared, vocabulary), None)
    if not len(vocabulary.pairs):
        return _joined(parts)
    halves = [np.split(part, [(part.shape[1] + 1) // 2], axis=1) for part in parts]
    words, pairs = zip(*halves, strict=True)
    return np.hstack([_joined(words), _joined(pairs)])


def _by_length(codes: Codes, graph: bytes, most: int | None) -> list[npt.NDArray[np.int64]]:
    """What a graph of codes answers, chunk by chunk, at most so many columns of it."""
    session = engine(graph, threads=1)
    found = []
    for start in range(0, len(codes), CODES_BATCH):
        part = codes[start : start + CODES_BATCH]
        width = max(1, int((part != PAD).sum(1).max()))
        found.append(session.run(None, {"codes": np.ascontiguousarray(part[:, :width])})[0][:, :most])
    return found


def _joined(parts: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Chunks under each other, filled up with 0."""
    width = max((part.shape[1] for part in parts), default=1)
    return np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts])


def sentence_graph(network: SentenceNetwork) -> bytes:
    """The whole way from a text: `text` string [N] -> `features` float32 [N, D]."""
    from onnx import TensorProto

    g = TextGraphBuilder()
    pieces = add_pieces(g, Pieces(network.vocabulary), text_input(g))
    features = g.include(minilm_graph(read_tensors(network.weights_path), LAYERS), {"pieces": pieces})[0]
    g.output(features, "features", TensorProto.FLOAT, ["N", N_FEATURES])
    return g.model()


def sentence_features(
    texts: Sequence[str],
    hashes: npt.NDArray[np.uint8],
    graph: bytes,
    *,
    store: Store,
    threads: int,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> Floats:
    """(N, D) features of every text, made or fetched from what an earlier run kept.

    Texts of about one length are run together, on one thread each: a row doesn't depend on how many workers there are.

    Args:
        hashes: (N, 32) of the texts; white space doesn't count, as it doesn't for the network.
        tell: called with the number of texts that are done, and of all.
    """
    namespace = f"features/{hashlib.sha256(graph).hexdigest()}/{machine_key()}"
    found, rows = store.get(namespace, hashes, (N_FEATURES,), np.float32)
    missing = np.flatnonzero(~found)
    if not len(missing):
        return rows
    session = engine(graph, threads=1)
    missing = missing[np.argsort([len(texts[i]) for i in missing.tolist()], kind="stable")]
    jobs = [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]

    def work(job: npt.NDArray[np.int64]) -> Floats:
        made: Floats = session.run(None, {"text": _strings([texts[i] for i in job.tolist()])})[0]
        return made

    unsaved: list[int] = []
    n_done = len(texts) - len(missing)
    with ThreadPoolExecutor(threads) as pool:
        try:
            for job, features in zip(jobs, pool.map(work, jobs), strict=True):
                rows[job] = features
                unsaved += job.tolist()
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


def word_pieces(texts: Sequence[str], network: SentenceNetwork) -> Pieces16:
    """(N, T) pieces of every text, as the sentence network reads it."""
    session = engine(pieces_graph(Pieces(network.vocabulary)), threads=1)
    starts = _starts(texts, CODES_BATCH)
    parts = [session.run(None, {"text": _strings(texts[i : i + CODES_BATCH])})[0] for i in starts]
    return _joined(parts).astype(np.uint16)


def piece_states(pieces: Pieces16, weights: Tensors, layer: int, *, threads: int) -> list[npt.NDArray[np.float16]]:
    """What a layer of the sentence network makes of each piece: one (pieces, 384) for each text."""
    session = engine(minilm_states_graph(weights, layer), threads=1)
    lengths = (pieces > 0).sum(1)
    order = np.argsort(lengths, kind="stable")
    jobs = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]

    def work(job: npt.NDArray[np.int64]) -> npt.NDArray[np.float16]:
        longest = max(1, int(lengths[job].max()))
        made: Floats = session.run(None, {"pieces": pieces[job, :longest].astype(np.int64)})[0]
        return made.astype(np.float16)

    found: list[npt.NDArray[np.float16]] = [np.zeros((0, WIDTH), np.float16)] * len(pieces)
    with ThreadPoolExecutor(threads) as pool:
        for job, states in zip(jobs, pool.map(work, jobs), strict=True):
            for i, one in zip(job.tolist(), states, strict=True):
                found[i] = one[: lengths[i]].copy()
    return found


def _starts(texts: Sequence[str], step: int) -> range:
    return range(0, len(texts), step)


def _strings(texts: Sequence[str]) -> npt.NDArray[np.object_]:
    return np.array(texts, dtype=object)
