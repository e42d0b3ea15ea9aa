"""Where fine-tuning begins: the last layer fitted on what the pretrained network sees."""

import numpy as np
import torch

from bottega.models.finetune import Finetuned
from bottega.training.examples import Data, Feeder
from bottega.training.head import fit_softmax
from bottega.training.precision import autocast, working
from bottega.training.settings import Settings

__all__ = ["start_head"]

STRENGTH = 0.01  # of the layer's L2 penalty


def start_head(network: Finetuned, data: Data, settings: Settings) -> None:
    """Fit the last layer on the frozen features of the training examples.

    A layer of random weights would send large gradients into a body that knows better.
    Source: Kumar et al. 2022, "Fine-tuning can distort pretrained features and underperform out-of-distribution".
    """
    network.eval()
    cast = autocast(settings.precision, settings.device)
    with working(settings.threads, settings.seed), torch.inference_mode(), cast:
        network.to(settings.device)
        features = [network.features(x).float().cpu() for x in Feeder(data, settings).plain(data.train)]
    n_classes = network.answer.out_features
    layer = fit_softmax(torch.cat(features).numpy(), np.asarray(data.train.y), n_classes, STRENGTH)
    network.start_from({"mean": layer.mean, "scale": layer.scale, "weight": layer.weight, "bias": layer.bias})
