"""AutoGluon on one table under a time limit: how right it is on given test rows.

Runs in an environment of its own, since AutoGluon is no part of bottega's. torch first, so that pip takes that of the
processor instead of gigabytes for graphics cards:
python -m venv AG && AG/bin/pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
AG/bin/pip install "autogluon.tabular[lightgbm,catboost,xgboost,fastai]==1.6.3"
AG/bin/python benchmarks/peers/autogluon_tables.py TRAIN.csv TEST.csv TARGET METRIC SECONDS

Prints one JSON document; `python benchmarks/tables.py DATA_DIR --time 60s --autogluon AG/bin/python` records it.
"""

# mypy: ignore-errors
# Its packages live in another environment than the one that is checked.
import json
import sys
import tempfile
import time

import pandas as pd
from autogluon.tabular import TabularPredictor, __version__

PRESET = "medium_quality"  # its default: no bagging, no stacking


def main() -> None:
    train_path, test_path, target, metric, seconds = sys.argv[1:]
    train, test = pd.read_csv(train_path), pd.read_csv(test_path)
    is_value = metric == "rmse"
    n_classes = train[target].nunique()
    kind = "regression" if is_value else "binary" if n_classes == 2 else "multiclass"
    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(
            target, problem_type=kind, eval_metric="rmse" if is_value else metric, path=folder, verbosity=0
        )
        begun = time.perf_counter()
        predictor.fit(train, time_limit=float(seconds), presets=PRESET)
        fit_seconds = time.perf_counter() - begun
        answers = predictor.predict(test.drop(columns=target))
        score = abs(float(predictor.evaluate_predictions(test[target], answers)[predictor.eval_metric.name]))
        board = predictor.leaderboard()
        size = predictor.disk_usage()
    found = {
        "score": score,
        "fit_seconds": round(fit_seconds, 2),
        "chosen": str(board["model"].iloc[0]),
        "n_models": len(board),
        "preset": PRESET,
        "bytes": int(size),
        "autogluon": __version__,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
