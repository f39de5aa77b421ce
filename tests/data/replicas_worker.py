"""Batches of two replicas on one processor, as an `.npz`.

Run as a script: `python FILE IMAGES MASKS OUT`. A process of its own, because
TensorFlow's devices are settled when it starts.
"""

import sys

import numpy as np
import tensorflow as tf

from keras_deeplab.data import (
    Augmentation,
    SegmentationData,
    make_dataset,
    match_pairs,
)

OPTIONS = {"batch_size": 4, "crop_size": 33, "augment": Augmentation(), "seed": 2}


def main(images: str, masks: str, out: str) -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    data = SegmentationData(match_pairs(images, masks), [str(i) for i in range(5)])
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    dataset = strategy.experimental_distribute_dataset(
        make_dataset(data, repeat=True, **OPTIONS)
    )
    found = {}
    batches = iter(dataset)
    for step in range(3):
        for name, parts in zip(("images", "labels"), next(batches), strict=True):
            for replica, part in enumerate(strategy.experimental_local_results(parts)):
                found[f"{name} {step} {replica}"] = part.numpy()
    np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
