"""Small scenes for the tests of `DenseCRF`, and what it makes of them."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

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


def round_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes products round their factors, as GPUs that compute in TF32 do."""
    matmul = keras.ops.matmul

    def rounded(values: Any) -> tf.Tensor:
        # 11 bits are left.
        bits = tf.bitcast(tf.convert_to_tensor(values, "float32"), tf.int32)
        kept = tf.bitwise.bitwise_and(bits + 0x1000, ~0x1FFF)
        return tf.bitcast(kept, tf.float32)

    monkeypatch.setattr(
        keras.ops, "matmul", lambda x, y: matmul(rounded(x), rounded(y))
    )
