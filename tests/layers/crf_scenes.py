"""Small scenes for the tests of `DenseCRF`, and what it makes of them."""

import numpy as np

from keras_deeplab.layers import DenseCRF
from tests.layers.crf_worker import scene

PLAIN = {"iterations": 3, "accuracy": "mobile"}


def refine(layer: DenseCRF, logits: np.ndarray, image: np.ndarray) -> np.ndarray:
    return np.array(layer(logits[None], image[None]))[0]


def small_scene(side: int = 40, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    logits, images = scene(classes, (side, side + 3), 1)
    return logits[0], images[0]


def agreement(left: np.ndarray, right: np.ndarray) -> float:
    return float((left.argmax(-1) == right.argmax(-1)).mean())
