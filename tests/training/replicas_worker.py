"""A training of `training_worker` on replicas.

Run as a script it writes it to an `.npz`: `python FILE COUNT OUT`. By itself, because
TensorFlow can split the CPU only before it is first used, and keeps to the number of
replicas that it first had.
"""

import sys
import tempfile

import keras
import numpy as np
import tensorflow as tf

from keras_deeplab.metrics import MeanIoU
from keras_deeplab.training import (
    Replicas,
    SegmentationCrossEntropy,
    make_strategy,
)
from tests.training.training_worker import CLASSES, OPTIMIZERS, data, network


def trained(replicas: Replicas) -> dict[str, np.ndarray]:
    """Weights, figures of the last epoch, and what the model and its file answer."""
    images, labels = data(count=16)
    # Void that the replicas do not share evenly.
    labels[::3, 2:] = 255
    with replicas:
        model = network(6)
        model.compile(
            OPTIMIZERS["adam_w"](),
            SegmentationCrossEntropy(),
            metrics=[MeanIoU(CLASSES)],
        )
    train = tf.data.Dataset.from_tensor_slices((images[:16], labels[:16])).batch(8)
    # Its last batch is smaller, and the parts of the replicas differ.
    val = tf.data.Dataset.from_tensor_slices((images[:15], labels[:15])).batch(8)
    history = model.fit(
        train, epochs=3, validation_data=val, shuffle=False, verbose=0
    ).history
    answers = model.predict(val, verbose=0)
    weights = [np.ravel(weight) for weight in model.get_weights()]
    return {
        "weights": np.concatenate(weights),
        "history": np.array([history[key][-1] for key in sorted(history)]),
        "answers": answers,
        "revived": revived(model).predict(images[:15], batch_size=8, verbose=0),
    }


def revived(model: keras.Model) -> keras.Model:
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        return keras.saving.load_model(f"{folder}/model.keras")


def main(count: int, out: str) -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * count
    )
    devices = [f"CPU:{index}" for index in range(count)]
    np.savez(out, **trained(make_strategy("mirrored", devices=devices)))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
