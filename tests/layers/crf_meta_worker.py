"""Calls `DenseCRF` on a device of PyTorch whose tensors NumPy cannot read, as a GPU."""

import sys

import keras

from keras_deeplab.layers import DenseCRF
from tests.layers.crf_worker import scene


def main() -> None:
    for accuracy, classes, size, trainable in (
        ("finest", 3, (70, 80), False),
        ("accurate", 3, (128, 140), True),
        ("mobile", 24, (256, 259), False),
    ):
        layer = DenseCRF("v1", accuracy=accuracy, trainable_parameters=trainable)
        pair = [keras.ops.convert_to_tensor(each) for each in scene(classes, size, 1)]
        found = layer(*pair)
        sys.stdout.write(f"{found.device.type} {tuple(found.shape)}\n")


if __name__ == "__main__":
    main()
