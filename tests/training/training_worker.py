"""Short trainings whose numbers must not depend on the backend.

Run as a script it writes them to an `.npz`: `KERAS_BACKEND=jax python FILE OUT`.
"""

import sys
from typing import Any

import keras
import numpy as np

from keras_deeplab.layers import AtrousConv
from keras_deeplab.metrics import MeanIoU
from keras_deeplab.training import (
    Dice,
    Distiller,
    Focal,
    LayerwiseAdamW,
    LayerwiseSGD,
    PolyDecay,
    SegmentationCrossEntropy,
    StopOnNaN,
    classifier_multipliers,
)

CLASSES = 3
LOSSES = {
    "cross_entropy": SegmentationCrossEntropy(
        label_smoothing=0.1, class_weights=(1, 2, 0.5)
    ),
    "hardest": SegmentationCrossEntropy(hardest=0.3),
    "focal": Focal(),
    "dice": Dice(),
}
SETTINGS = {"multipliers": classifier_multipliers(), "weight_decay": 0.05}
OPTIMIZERS = {
    "sgd": lambda: LayerwiseSGD(
        PolyDecay(0.05, 12, slow_start_steps=3, slow_start="linear"), **SETTINGS
    ),
    "adam_w": lambda: LayerwiseAdamW(0.005, **SETTINGS),
    "accumulating": lambda: LayerwiseSGD(
        0.05, gradient_accumulation_steps=2, use_ema=True, **SETTINGS
    ),
}


def answers() -> dict[str, np.ndarray]:
    """The weights after every training, and what `fit` says of its last epoch."""
    found: dict[str, np.ndarray] = {}
    for name, loss in LOSSES.items():
        found |= _trained(name, network(6), keras.optimizers.SGD(0.05), loss)
    for name, make in OPTIMIZERS.items():
        found |= _trained(name, network(6), make(), SegmentationCrossEntropy())
    distiller = Distiller(network(6), network(4), temperature=2)
    return found | _trained(
        "distiller", distiller, OPTIMIZERS["sgd"](), SegmentationCrossEntropy()
    )


def network(filters: int) -> keras.Model:
    """A small network whose weights are always the same."""
    inputs = keras.Input((5, 6, 3))
    x = keras.layers.Conv2D(filters, 3, padding="same", activation="tanh")(inputs)
    x = keras.layers.BatchNormalization(momentum=0.8)(x)
    model = keras.Model(inputs, AtrousConv(CLASSES, 1, name="logits")(x))
    rng = np.random.default_rng(filters)
    for weight in model.weights:
        if weight.name == "kernel":
            weight.assign(rng.normal(0, 0.5, weight.shape))
    return model


def data(count: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Images, of which each has as many void pixels as the others."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(count, 5, 6, 3)).astype("float32")
    labels = rng.integers(0, CLASSES, (count, 5, 6)).astype("int32")
    labels[:, 1] = 255
    return images, labels


def _trained(
    name: str, model: keras.Model, optimizer: Any, loss: Any
) -> dict[str, np.ndarray]:
    model.compile(optimizer, loss, metrics=[MeanIoU(CLASSES)])
    history = model.fit(
        *data(),
        batch_size=2,
        epochs=3,
        shuffle=False,
        verbose=0,
        callbacks=[StopOnNaN()],
    ).history
    weights = [np.ravel(weight) for weight in model.get_weights()]
    last = [history["loss"][-1], history["mean_iou"][-1]]
    return {name: np.concatenate([*weights, last]).astype("float64")}


if __name__ == "__main__":
    np.savez(sys.argv[1], **answers())
