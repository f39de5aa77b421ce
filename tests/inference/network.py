"""A small network that was trained on nothing, and answers with large numbers."""

from typing import Any

import numpy as np

from keras_deeplab import DeepLabV3


def random_network(**options: Any) -> DeepLabV3:
    """Every part of it matters: features keep their size from layer to layer."""
    model = DeepLabV3("mobilenet_v2", alpha=0.35, classes=4, **options)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.path.endswith("kernel"):
            depthwise = weight.shape[-1] == 1
            inputs = np.prod(weight.shape[:2] if depthwise else weight.shape[:-1])
            weight.assign(rng.normal(size=weight.shape) * np.sqrt(2 / inputs))
    return model
