"""Small made-up word vectors with countries and capitals planted in them, written in the formats of others."""

import numpy as np

CAPITALS = {"Italy": "Rome", "France": "Paris", "Spain": "Madrid", "Greece": "Athens", "Egypt": "Cairo", "Peru": "Lima"}


def planted(n_noise=400, n_dims=24, seed=0):
    """Words and their float32 rows: each capital is its country, turned by the same vector, and a little noise."""
    rng = np.random.default_rng(seed)
    turn = 2 * rng.standard_normal(n_dims)
    words, rows = [], []
    for country, capital in CAPITALS.items():
        place = 2 * rng.standard_normal(n_dims)
        words += [country, capital]
        rows += [place, place + turn + 0.1 * rng.standard_normal(n_dims)]
    gender = 2 * rng.standard_normal(n_dims)
    for male, female in (("man", "woman"), ("king", "queen"), ("he", "she"), ("actor", "actress")):
        place = 2 * rng.standard_normal(n_dims)
        words += [male, female]
        rows += [place, place + gender + 0.1 * rng.standard_normal(n_dims)]
    words += ["doctor", "mother-in-law", "New_York", "café", "東京", "2004"]
    rows += list(rng.standard_normal((6, n_dims)))
    words += [f"noise{i}" for i in range(n_noise)]
    rows += list(rng.standard_normal((n_noise, n_dims)))
    return words, np.array(rows, dtype=np.float32)


def as_text(words, rows, *, header=True):
    """word2vec text and `.vec` with a header, GloVe without."""
    lines = [f"{word} {' '.join(repr(float(x)) for x in row)}\n" for word, row in zip(words, rows, strict=True)]
    return ((f"{len(words)} {rows.shape[1]}\n" if header else "") + "".join(lines)).encode()


def as_binary(words, rows, *, line_ends=False):
    """word2vec binary, with a line end after each row or without."""
    end = b"\n" if line_ends else b""
    head = f"{len(words)} {rows.shape[1]}\n".encode()
    return head + b"".join(w.encode() + b" " + r.tobytes() + end for w, r in zip(words, rows, strict=True))
