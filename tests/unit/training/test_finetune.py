"""The last layer is fitted on the frozen features before anything moves; each step sees one view of a picture."""

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from bottega.evaluation.metrics import METRICS
from bottega.models.finetune import finetuned
from bottega.models.pretrained import find_weights
from bottega.shipping.export import states_input, vectors_graph
from bottega.training.finetune import start_head
from bottega.training.loop import Examples, Goal, fit
from bottega.training.settings import Settings
from bottega.workflow.features import engine
from bottega.workflow.finetune import FineTuned

SIDE = 96


def patches(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of two photos: which one is each from? uint8 (n, 200, 200, 3), (n,)."""
    rng = np.random.default_rng(0)
    photos = load_sample_images().images
    x, y = [], []
    for i in range(n):
        photo = photos[i % 2]
        top, left = (int(rng.integers(0, size - 200)) for size in photo.shape[:2])
        x.append(np.array(Image.fromarray(photo[top : top + 200, left : left + 200])))
        y.append(i % 2)
    return np.stack(x), np.array(y)


def states(architecture: FineTuned, pictures: np.ndarray) -> np.ndarray:
    """What the blocks that stay make of pictures, in all views."""
    kept = architecture.kept
    graph = vectors_graph(states_input(kept.graph(), kept.side, kept.views), kept.shape, dtype=np.float16)
    found: np.ndarray = engine(graph, threads=1).run(["features"], {"image": pictures})[0]
    return found


def test_it_answers_before_the_first_step_and_learns_on() -> None:
    pictures, y = patches(48)
    weights = find_weights("efficientnet_lite0")
    architecture = FineTuned((3, SIDE, SIDE), weights, epochs=2, n_views=3)
    x = states(architecture, pictures)
    assert x.shape == (48, 3, 40, 12, 12)
    network = finetuned(weights.name, weights.path, 2)
    data = architecture.scaled(Examples(x[:32], y[:32]), Examples(x[32:], y[32:]))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    drawn = torch.get_rng_state()
    start_head(network, data, Settings())
    assert torch.equal(torch.get_rng_state(), drawn)
    learned = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert learned == {"mean", "scale", "answer.weight", "answer.bias"}
    with torch.no_grad():
        answers = network.eval()(torch.from_numpy(x[32:, 0]).float()).argmax(1).numpy()
    assert (answers == y[32:]).mean() >= 0.9
    settings = architecture.suited(Settings(learning_rate=1e-3), n_train=2000)
    fitted = fit(network, data, settings, goal=Goal(METRICS["accuracy"].function, higher_is_better=True))
    assert fitted.best.val_score >= 0.9
    moved = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert "blocks.0.expand.weight" in moved
    assert "blocks.0.depthwise.bias" in moved
    assert "blocks.0.depthwise.weight" not in moved
