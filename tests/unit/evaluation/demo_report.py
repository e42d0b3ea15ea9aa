"""A realistic run for the tests of the report: scikit-learn's digits, a linear model, and what it gets wrong."""

import io
import os
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from bottega.evaluation.evidence import (
    Confusion,
    CoveragePoint,
    Curve,
    CurvePoint,
    Evidence,
    Member,
    Mistake,
    ReliabilityBin,
    Thumbnail,
    Unlabelled,
)
from bottega.problem.records import Candidate, Finding, Rejected, Score, Suspect, Task, TrainRecord, Twin

os.environ.setdefault("OMP_NUM_THREADS", "1")


def wilson(right: int, n: int) -> Score:
    """The 95 % interval of a proportion, for the demo's own needs."""
    z, p = 1.96, right / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return Score(n, p, max(0.0, middle - half), min(1.0, middle + half), n_groups=n - 3 if n > 100 else None)


def thumbnail(pixels: Any, alt: str, side: int = 96) -> Thumbnail:
    """A digit as a PNG."""
    picture = Image.fromarray((np.asarray(pixels) * 15.9).astype(np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    out = io.BytesIO()
    picture.save(out, "PNG")
    return Thumbnail(out.getvalue(), side, side, alt)


def demo() -> tuple[TrainRecord, Evidence]:
    """A record and its evidence, from a quick training: about a second."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    train, val, test = order[:1000], order[1000:1258], order[1258:]
    x, y = digits.data / 16.0, digits.target
    strengths = [1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0]
    models = [LogisticRegression(C=c, max_iter=300, tol=1e-3).fit(x[train], y[train]) for c in strengths]
    losses = [(_loss(m, x[train], y[train]), _loss(m, x[val], y[val])) for m in models]
    best = int(np.argmin([val_loss for _, val_loss in losses]))
    probabilities = models[best].predict_proba(x[test])
    answers = probabilities.argmax(1)
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (y[test], answers), 1)
    wrong = [int(i) for i in np.flatnonzero(answers != y[test])]
    wrong.sort(key=lambda i: -probabilities[i].max())
    examples = {(int(y[test[i]]), int(answers[i])): _picture(digits, test[i]) for i in reversed(wrong)}
    near = KNeighborsClassifier(1).fit(x[train], y[train])
    nearest = train[near.kneighbors(x[test], return_distance=False)[:, 0]]
    mistakes = tuple(
        Mistake(
            _picture(digits, test[i]), str(y[test[i]]), str(answers[i]), float(probabilities[i].max()),
            f"test/{y[test[i]]}/{test[i]:04d}.png", _picture(digits, nearest[i]), str(y[nearest[i]]), "",
        )
        for i in wrong[:8]
    )  # fmt: skip
    score = wilson(int((answers == y[test]).sum()), len(test))
    evidence = Evidence(
        data_name="digits",
        n_pictures=len(y),
        n_per_class={str(c): int((y == c).sum()) for c in range(10)},
        confusion=Confusion.from_matrix([str(c) for c in range(10)], matrix.tolist(), examples),
        mistakes=mistakes,
        conflicts=_conflicts(digits),
        twins=tuple((_member(digits, i), _member(digits, i + 10), _member(digits, i + 20)) for i in (30, 130)),
        reliability=_reliability(probabilities, answers == y[test]),
        ece=Score(len(test), 0.012, 0.007, 0.021, higher_is_better=False),
        coverage=_coverage(probabilities, answers == y[test]),
        chosen_coverage=_coverage(probabilities, answers == y[test])[4],
        curve=Curve(
            tuple(
                CurvePoint(np.log10(c).item(), f"{c:g}", *loss, loss[1] * 0.85, loss[1] * 1.17)
                for c, loss in zip(strengths, losses, strict=True)
            ),
            f"Validation loss is lowest at a strength of {strengths[best]:g}; more freedom than that only learns the "
            "training pictures by heart.",
            "strength of the fit (inverse of the penalty)",
            "log loss",
            float(np.log10(strengths[best])),
        ),
        naive=replace(score, score=0.989, low=0.979, high=0.995),
        grouped=score,
        without_twins=wilson(495, 515),
        unlabelled=Unlabelled(40, 6, "They are letters.", tuple(_member(digits, i) for i in (5, 15, 25, 33))),
        snippets=SNIPPETS,
        reproduce=("bottega train digits --split-seed 0 --seed 7", "bottega reproduce runs/digits-1"),
        versions={"bottega": "0.1.0", "onnxruntime": "1.23.0", "numpy": "2.3.4"},
        recipe='seed = 7\nsplit_seed = 0\npreset = "fast"\n[head]\nstrength = 0.1\n',
        model_file={"bytes": 13_600_000, "sha256": "9f" * 32, "opset": 20},
        prepared="It takes raw pixels of any size: resize, crop and normalisation are in the file.",
    )
    return _record(score, matrix), evidence


SNIPPETS = {
    "Command line": "bottega predict model.onnx photo.jpg\n8   0.97   sure",
    "Python": 'import bottega\n\nmodel = bottega.load("model.onnx")\nprint(model("photo.jpg").label)',
    "JavaScript": 'const session = await ort.InferenceSession.create("model.onnx");\nawait session.run({image});',
    "Java": 'try (var session = environment.createSession("model.onnx")) {\n    session.run(inputs);\n}',
    "C#": 'using var session = new InferenceSession("model.onnx");',
    "C": 'OrtSession* session;\nort->CreateSession(env, "model.onnx", options, &session);',
}


def _record(score: Score, matrix: Any) -> TrainRecord:
    n = score.n
    rivals = [
        ("nearest neighbour, thumbnails", 0.951),
        ("random forest, thumbnails", 0.93),
        ("linear, thumbnails", 0.898),
    ]
    tried = [Candidate("pretrained features + linear", "network", wilson(250, 258), score, 6.2, relation="ships")]
    for name, share in rivals:
        gap = score.score - share
        difference = Score(n, gap, gap - 0.014, gap + 0.015)
        tried.append(
            Candidate(
                name,
                "baseline",
                wilson(int(258 * share), 258),
                wilson(int(n * share), n),
                0.8,
                None,
                "worse",
                difference,
            )
        )
    tried.append(
        Candidate("most frequent class", "baseline", wilson(27, 258), wilson(int(n * 0.104), n), 0.0, None, "worse")
    )
    tried.append(
        Candidate("small network (MLP)", "network", wilson(249, 258), None, 40.0, dropped="tied; the simpler one ships")
    )
    per_class = {
        str(c): {"n": int(matrix[c].sum()), "recall": wilson(int(matrix[c, c]), int(matrix[c].sum())),
                 "precision": wilson(int(matrix[c, c]), int(matrix[:, c].sum()))}
        for c in range(10)
    }  # fmt: skip
    return TrainRecord(
        run_dir="runs/digits-1",
        model_path="runs/digits-1/model.onnx",
        report_path="runs/digits-1/report.html",
        task=Task("classification", "images", None, tuple("0123456789"), "one folder a class"),
        chosen="pretrained features + linear",
        metric="accuracy",
        verdict="It reads the digits right at least 94 times in 100, and clearly better than simpler methods.",
        test={
            "n": n,
            "n_groups": n - 3,
            "score": score.score,
            "low": score.low,
            "high": score.high,
            "source": "held-out",
        },
        metrics={"accuracy": score, "log_loss": Score(n, 0.151, 0.11, 0.2, False)},
        candidates=tuple(tried),
        findings=(Finding("nothing to mend", "training and validation stay close together.", "", "", "high"),),
        rejected=(Rejected("7/0912.png", "a style sheet (CSS) named .png"),),
        suspects=(
            Suspect(
                "shortcut", "class 8", "its files are 30 % larger than the others'", "save all classes the same way"
            ),
        ),
        seconds={"total": 130.0, "features": 41.3, "heads": 6.2, "export": 3.1},
        twins=(
            Twin("near", ("0/30.png", "0/40.png", "0/50.png"), ("0", "0", "0")),
            Twin("exact", ("4/1.png", "9/2.png"), ("4", "9")),
        ),
        per_class=per_class,
        believe=("It beats the best rival by 1.4 points (0.1 … 2.9), judged on the same pictures.",),
        doubt=(
            "That it works on other pens or scanners: all pictures come from one source.",
            "Its answers for 8: one in ten is missed.",
        ),
        next_steps=(
            "Look at the label that contradicts another.",
            "Then 60 more of 8: it makes a third of the errors.",
        ),
        sure={"threshold": 0.6, "coverage": 0.93, "why": ""},
        split={"seed": 0, "rule": "content hash", "counts": {"train": 1000, "val": 258, "test": n}},
    )


def _loss(model: Any, x: Any, y: Any) -> float:
    return float(-np.log(np.maximum(model.predict_proba(x)[np.arange(len(y)), y], 1e-12)).mean())


def _picture(digits: Any, i: int) -> Thumbnail:
    return thumbnail(digits.images[i], f"a handwritten {digits.target[i]}")


def _member(digits: Any, i: int) -> Member:
    return Member(_picture(digits, i), str(digits.target[i]), f"{digits.target[i]}/{i:04d}.png")


def _conflicts(digits: Any) -> tuple[tuple[Member, ...], ...]:
    picture = _picture(digits, 4)
    return ((Member(picture, "4", "4/0004.png"), Member(picture, "9", "9/copy of 4.png")),)


def _reliability(probabilities: Any, right: Any) -> tuple[ReliabilityBin, ...]:
    top, bins = probabilities.max(1), []
    for low, high in ((0, 0.5), (0.5, 0.7), (0.7, 0.85), (0.85, 0.95), (0.95, 0.99), (0.99, 1.01)):
        inside = (top >= low) & (top < high)
        if inside.sum():
            score = wilson(int(right[inside].sum()), int(inside.sum()))
            bins.append(ReliabilityBin(float(top[inside].mean()), score.score, score.low, score.high, score.n))
    return tuple(bins)


def _coverage(probabilities: Any, right: Any) -> tuple[CoveragePoint, ...]:
    top, points = probabilities.max(1), []
    for threshold in (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99):
        inside = top >= threshold
        score = wilson(int(right[inside].sum()), int(inside.sum()))
        points.append(CoveragePoint(float(inside.mean()), score.score, score.low, score.high, threshold))
    return tuple(points)
