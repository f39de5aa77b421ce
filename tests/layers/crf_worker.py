"""Answers of `DenseCRF` on the backend that Keras is set to, written to an `.npz`."""

import sys

import keras
import numpy as np

from keras_deeplab.layers import DenseCRF

SIZE = (70, 131)


def scene(
    classes: int = 4, size: tuple[int, int] = SIZE, batch: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Logits that follow a disc of another colour loosely, and its photo."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: size[0], : size[1]]
    disc = np.hypot(rows - size[0] / 2, columns - size[1] / 2) < min(size) / 3
    image = np.where(disc[..., None], (200, 120, 40), (60, 90, 130))
    images = np.clip(image + rng.normal(0, 12, (batch, *size, 3)), 0, 255)
    logits = rng.normal(0, 1, (batch, *size, classes))
    logits[..., 0] += np.where(disc, 0, 1.5)
    logits[..., -1] += np.where(disc, 1.5, 0)
    return logits.astype("float32"), images.astype("float32")


def answers() -> dict[str, np.ndarray]:
    logits, images = scene()
    costs = (2.0 - 2 * np.eye(4)).tolist()
    layers = {
        "accurate": DenseCRF("v2"),
        "mobile": DenseCRF("v1", accuracy="mobile", compatibility=costs),
        "learned": DenseCRF("v1", accuracy="mobile", trainable_parameters=True),
    }
    found = {name: layer(logits, images) for name, layer in layers.items()}
    # Large enough for steps on every fourth pixel, and labels for groups.
    found["grouped"] = DenseCRF("v1", accuracy="mobile")(*scene(24, (256, 259), 1))
    return {name: keras.ops.convert_to_numpy(each) for name, each in found.items()}


if __name__ == "__main__":
    np.savez(sys.argv[1], **answers())
