"""The last layer is fitted on the frozen features before anything moves."""

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from bottega.models.finetune import finetuned
from bottega.models.pretrained import find_weights
from bottega.training.finetune import start_head
from bottega.training.loop import Examples
from bottega.training.settings import Settings
from bottega.workflow.finetune import FineTuned

SIDE = 96


def patches(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of two photos: which one is each from? uint8 (n, 3, SIDE, SIDE), (n,)."""
    rng = np.random.default_rng(0)
    photos = load_sample_images().images
    x, y = [], []
    for i in range(n):
        photo = photos[i % 2]
        top, left = (int(rng.integers(0, size - 200)) for size in photo.shape[:2])
        piece = Image.fromarray(photo[top : top + 200, left : left + 200]).resize((SIDE, SIDE))
        x.append(np.array(piece).transpose(2, 0, 1))
        y.append(i % 2)
    return np.stack(x), np.array(y)


def test_it_answers_before_the_first_step() -> None:
    x, y = patches(48)
    weights = find_weights("efficientnet_lite0")
    network = finetuned(weights.name, weights.path, 2)
    data = FineTuned((3, SIDE, SIDE), weights, epochs=1).scaled(Examples(x[:32], y[:32]), None)
    body = {name: tensor.clone() for name, tensor in network.body.state_dict().items()}
    before = torch.get_rng_state()
    start_head(network, data, Settings())
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(tensor, body[name]) for name, tensor in network.body.state_dict().items())
    with torch.no_grad():
        answers = network.eval()((torch.from_numpy(x[32:]).float() - 127) / 128).argmax(1).numpy()
    assert (answers == y[32:]).mean() >= 0.9
