"""Trainings of `training_worker` on one and on two replicas.

Run as a script it writes both to an `.npz`: `python FILE OUT`. By itself, because
TensorFlow can split the CPU only before it is first used.
"""

import sys

import numpy as np
import tensorflow as tf

from keras_deeplab.metrics import MeanIoU
from keras_deeplab.training import SegmentationCrossEntropy, set_batch_norm
from tests.training.training_worker import CLASSES, OPTIMIZERS, data, network

# Keras cannot accumulate gradients on several replicas.
NAMES = ("sgd", "adam_w")


def trained(name: str, strategy: tf.distribute.Strategy) -> np.ndarray:
    with strategy.scope():
        model = network(6)
        set_batch_norm(model, "synchronized")
        model.compile(
            OPTIMIZERS[name](), SegmentationCrossEntropy(), metrics=[MeanIoU(CLASSES)]
        )
    dataset = tf.data.Dataset.from_tensor_slices(data()).batch(2)
    history = model.fit(dataset, epochs=3, shuffle=False, verbose=0).history
    weights = [np.ravel(weight) for weight in model.get_weights()]
    last = [history["loss"][-1], history["mean_iou"][-1]]
    return np.concatenate([*weights, last])


def main(out: str) -> None:
    """Trains with two optimizers."""
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    both = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    one = tf.distribute.get_strategy()
    found = {f"{name}_2": trained(name, both) for name in NAMES}
    found |= {f"{name}_1": trained(name, one) for name in NAMES}
    np.savez(out, **found)


if __name__ == "__main__":
    main(sys.argv[1])
