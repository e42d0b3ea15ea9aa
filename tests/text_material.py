"""Texts that tests share: real ones from this project's pages, and strings that trip tokenizers up."""

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnx import TensorProto

from bottega.data.text_characters import TextGraphBuilder, TextPreparation, add_codes, text_input
from bottega.data.text_terms import Terms, add_tf_idf
from bottega.models.sentence import N_LAYERS, WIDTH

TORTURE = (
    "", " ", "\t\r\n", "a", "İstanbul ß ﬁ ﬃ ẞ", "ΣΊΣΥΦΟΣ ΑΣ ς", "नमस्ते दुनिया हिन्दी", "你好，世界",
    "豈 更", "한국어 텍스트", "日本語のテキスト カタカナ", "😀 emoji 👩‍👩‍👧 x",
    "e\u0301\u0301 a\u0300b", "\u200bzero\u200dwidth\ufeff",
    "a\x00b", "x" * 300,
    "ab " * 300, "\u0301\u0302", "don't!!!...", "≠ ≤ ½ ² ①", "a\u00a0b\u2028c\u3000d", "\ue000private\U0010fffd",
    "unaffable " * 40, "supercalifragilisticexpialidocious", "٣٤٥ العربية مرحبا", "<b>html</b> &amp; $x^2$",
    "##ing ## # ##", "[CLSx] [", "x" * 100, "x" * 101, "é" * 100, "a" * 99 + "\u0301" * 5, "\ufffd\ufffdx", "ɐ ʁ ŋ",
    "ab\U0001d400cd", "ﷺ", "Ὀδυσσεύς ᾳ", "q" * 126 + " " + "q" * 127 + " " + "q" * 128, "a  b   c",
    "-", "--", "_x_ 1_000",
)  # fmt: skip
ROOT = Path(__file__).parent.parent


@cache
def real_texts() -> list[str]:
    """Lines of the project's own pages, without repetition: some hundred, in their order."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    lines = (line.strip() for page in pages for line in page.read_text("utf-8").splitlines())
    return list(dict.fromkeys(line for line in lines if line))


def matrix_graph(prepared: TextPreparation, terms: Terms) -> bytes:
    """TF-IDF as a matrix: `text` string [N] -> `x` float32 [N, n_terms]."""
    g = TextGraphBuilder()
    places, values = add_tf_idf(g, prepared, terms, add_codes(g, prepared, text_input(g)))
    n = g.op("Shape", places, start=0, end=1)
    shape = g.op("Concat", n, g.constant([terms.n_terms + 1], np.int64), axis=0)
    sums = g.op("ScatterElements", g.op("Expand", g.constant(0.0), shape), places, values, axis=1, reduction="add")
    x = g.op("Slice", sums, *(g.constant([value], np.int64) for value in (0, -1, 1)))
    g.output(x, "x", TensorProto.FLOAT, ["N", terms.n_terms])
    return g.model()


def run(graph: bytes, **inputs: npt.ArrayLike) -> list[npt.NDArray[np.generic]]:
    """All outputs of a graph; texts may be given as a list of strings."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    arrays = {name: strings(value) if isinstance(value, list) else value for name, value in inputs.items()}
    return list(session.run(None, arrays))


def strings(texts: list[str]) -> npt.NDArray[np.object_]:
    """(N,) as the engine takes them."""
    return np.array(texts, dtype=object).reshape(len(texts))


_TOPICS = {
    "complaint": "broken late refund angry cracked missing wrong never slow rude return dirty".split(),
    "praise": "lovely quick thanks perfect kind warm recommend clean happy friendly fresh best".split(),
}
_COMMON = "the order shop I it was my box with and very today service from they phone".split()


def made_up_texts(n: int = 400, *, seed: int = 0) -> tuple[list[str], list[str]]:
    """Short texts of two topics, hard enough that no model answers all; and their labels."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for i in range(n):
        label = list(_TOPICS)[i % 2]
        own = _TOPICS[label] if rng.random() < 0.95 else _TOPICS[list(_TOPICS)[1 - i % 2]]
        words = [*rng.choice(own, 2), *rng.choice(_COMMON, rng.integers(5, 12))]
        texts.append(" ".join(rng.permutation(words)).capitalize() + str(rng.choice([".", "!", "?"])))
        labels.append(label)
    return texts, labels


def made_up_weights(n_pieces: int = 120, *, seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """A sentence network of the published shape with random numbers, and few word pieces."""
    rng = np.random.default_rng(seed)
    shapes = {f"embeddings.{name}_embeddings.weight": (n, WIDTH)
              for name, n in (("word", n_pieces), ("position", 512), ("token_type", 2))}  # fmt: skip
    norms = ["embeddings.LayerNorm"]
    for layer in range(N_LAYERS):
        at = f"encoder.layer.{layer}."
        norms += [f"{at}attention.output.LayerNorm", f"{at}output.LayerNorm"]
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes[f"{at}{name}.weight"] = (WIDTH, WIDTH)
        shapes |= {f"{at}intermediate.dense.weight": (4 * WIDTH, WIDTH), f"{at}output.dense.weight": (WIDTH, 4 * WIDTH)}
    found = {name: rng.normal(0, 0.05, shape) for name, shape in shapes.items()}
    for name, shape in shapes.items():
        if name.startswith("encoder."):
            found[f"{name.removesuffix('weight')}bias"] = rng.normal(0, 0.05, shape[0])
    for name in norms:
        found |= {f"{name}.weight": rng.normal(1, 0.1, WIDTH), f"{name}.bias": rng.normal(0, 0.1, WIDTH)}
    return {name: array.astype(np.float32) for name, array in found.items()}
