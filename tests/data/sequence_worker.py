"""Trains on a `SegmentationSequence`, on the backend that Keras is set to.

Run as a script: `KERAS_BACKEND=jax python FILE IMAGES MASKS OUT` writes the batches of
two epochs, as training met them, and fails where TensorFlow is about.
"""

import sys

import keras
import numpy as np

from keras_deeplab.data import (
    Augmentation,
    SegmentationData,
    SegmentationSequence,
    match_pairs,
)

CLASSES = 5
OPTIONS = {"batch_size": 3, "crop_size": 33, "augment": Augmentation(), "seed": 2}


def fitted(images: str, masks: str, **settings: object) -> dict[str, np.ndarray]:
    """The batches of two epochs, and the losses."""
    data = SegmentationData(
        match_pairs(images, masks), [str(label) for label in range(CLASSES)]
    )
    met = {}

    class Noted(SegmentationSequence):
        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            batch = super().__getitem__(index)
            met[f"images {self.epoch} {index}"] = batch[0]
            met[f"labels {self.epoch} {index}"] = batch[1]
            return batch

    sequence = Noted(data, **OPTIONS, **settings)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.Rescaling(1 / 127.5, -1),
            keras.layers.Conv2D(CLASSES, 1),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=255
    )
    model.compile(keras.optimizers.Adam(0.1), loss)
    history = model.fit(sequence, epochs=2, verbose=0, shuffle=False)
    return {**met, "losses": np.array(history.history["loss"])}


if __name__ == "__main__":
    images, masks, out = sys.argv[1:]
    found = fitted(images, masks)
    if "tensorflow" in sys.modules:
        sys.exit("TensorFlow was imported.")
    np.savez(out, **found)
