"""A model of Keras 3, trained and used as Keras does it by default."""

import importlib.metadata
import os
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import multiply_adds
import numpy as np
import op_seconds


class KerasModel:
    """Steps on random numbers, which take as long as ones on photos.

    Args:
        model: Gives logits, `(batch, height, width, classes)`, of the image's size.
        loss: Of sparse labels and logits.
        size: Height and width of the images.
        batch: Images of a training step; inference is of one.
        classes: Number of classes.
        jit_compile: As for `compile`; Keras's own choice is no XLA on a CPU.
    """

    def __init__(
        self,
        model: keras.Model,
        loss: Any,
        size: tuple[int, int],
        batch: int,
        classes: int,
        jit_compile: str | bool = "auto",
    ) -> None:
        optimizer = keras.optimizers.SGD(1e-3, momentum=0.9)
        model.compile(optimizer, loss, metrics=[], jit_compile=jit_compile)
        self._model = model
        rng = np.random.default_rng(0)
        self._images = rng.normal(size=(batch, *size, 3)).astype("float32")
        self._labels = rng.integers(0, classes, (batch, *size)).astype("uint8")

    def facts(self) -> dict[str, Any]:
        shape = (1, *self._images.shape[1:])
        packages = ("keras", "tensorflow")
        return {
            "parameters": self._model.count_params(),
            "multiply_adds": multiply_adds.count(
                lambda images: self._model(images, training=False), shape
            ),
            "xla": self._model.jit_compile,
            "versions": {name: importlib.metadata.version(name) for name in packages},
        }

    def operations(self, of: str, rounds: int) -> dict[str, tuple[int, float]]:
        return op_seconds.measure(getattr(self, of), rounds)

    def infer(self) -> list[int]:
        return list(self._model.predict_on_batch(self._images[:1]).shape)

    def train(self) -> float:
        return float(self._model.train_on_batch(self._images, self._labels))
