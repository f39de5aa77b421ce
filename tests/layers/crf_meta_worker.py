"""Shapes of `DenseCRF` on a device of PyTorch that, like a GPU, NumPy cannot read."""

import sys

import keras
import numpy as np

from keras_deeplab.layers import DenseCRF
from tests.layers.crf_worker import scene


def shapes() -> dict[str, tuple[int, ...]]:
    found = {}
    for accuracy, classes, size, trainable in (
        ("finest", 3, (70, 80), False),
        ("accurate", 3, (128, 140), True),
        ("mobile", 24, (256, 259), False),
    ):
        layer = DenseCRF("v1", accuracy=accuracy, trainable_parameters=trainable)
        pair = [keras.ops.convert_to_tensor(each) for each in scene(classes, size, 1)]
        answer = layer(*pair)
        found[f"{accuracy} {answer.device.type}"] = tuple(answer.shape)
    return found


if __name__ == "__main__":
    np.savez(sys.argv[1], **shapes())
