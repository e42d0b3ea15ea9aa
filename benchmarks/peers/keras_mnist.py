"""The usual network in Keras on TensorFlow: training seconds until the test part says 99 %.

Runs in an environment of its own, since TensorFlow is no part of bottega's:
python -m venv TF && TF/bin/pip install tensorflow-cpu && TF/bin/python benchmarks/peers/keras_mnist.py DATA.npz

Prints one JSON document; `python benchmarks/mnist.py DATA.npz --only keras --keras TF/bin/python` records it.
"""

# mypy: ignore-errors
# Its packages live in another environment than the one that is checked.
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow

ENOUGH = 0.99
MOST_EPOCHS = 15


def main() -> None:
    with np.load(sys.argv[1], allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    x, x_test = (arrays[name][..., None].astype("float32") / 255 for name in ("x_train", "x_test"))
    keras.utils.set_random_seed(0)
    model = usual_network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    seconds = 0.0
    scores: list[float] = []
    while len(scores) < MOST_EPOCHS and (not scores or scores[-1] < ENOUGH):
        start = time.perf_counter()
        model.fit(x[:55_000], arrays["y_train"][:55_000], batch_size=128, verbose=0)
        seconds += time.perf_counter() - start
        scores.append(float(model.evaluate(x_test, arrays["y_test"], batch_size=500, verbose=0)[1]))
    versions = {"keras": keras.__version__, "tensorflow": tensorflow.__version__}
    print(json.dumps({"seconds": round(seconds, 2), "test_accuracy": scores, "precision": "float32", **versions}))


def usual_network() -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


if __name__ == "__main__":
    main()
