"""The int8 variant: asked for, it answers almost as the full one does."""

import bottega
from command import TrainedRun, run_bottega


def test_the_small_file_loses_little(trained_run: TrainedRun) -> None:
    words = ("train", trained_run.data.name, "--ship", "network", "--small", "--name", "small")
    outcome = run_bottega(*words, cwd=trained_run.home)
    assert outcome.status == 0, outcome.err
    folder = trained_run.home / "runs/small"
    full, small = folder / "model.onnx", folder / "model-int8.onnx"
    assert small.stat().st_size < 0.4 * full.stat().st_size
    assert bottega.check(small).passed
    scores = [bottega.evaluate(model, trained_run.data).score for model in (full, small)]
    assert scores[0] - scores[1] < 0.02
