"""A training that takes seconds: its data and its recipe.

Run as a script it trains, on the workers that `TF_CONFIG` names if that is set:
`python FILE DATA OUT [--kill-in EPOCH] [--replicas COUNT] [--resume] [--changes JSON]`.
"""

import argparse
import json
import os
import pathlib
import signal
from typing import Any

import keras
import numpy as np
from PIL import Image

from keras_deeplab.data import label_colors, write_labels
from keras_deeplab.training import (
    Recipe,
    Replicas,
    find_data,
    make_strategy,
    train,
)

CLASSES = ("sky", "street", "tree")
EPOCHS = 4


def recipe(**changes: Any) -> Recipe:
    """All that has a state: dropout, batch norms, momenta, averages, a schedule."""
    tiny = Recipe(
        name="tiny",
        model="DeepLabV3Plus",
        arguments={
            "backbone": "resnet50",
            "blocks": [1, 1, 1, 1],
            "multi_grid": [1],
            "stage_filters": [4, 4, 8, 8],
            "filters": 8,
            "decoder_filters": 8,
            "low_level_filters": 4,
            "atrous_rates": [1],
            "dropout": 0.3,
        },
        train_data=("camvid", "train"),
        val_data=("camvid", "val"),
        crop_size=(33, 49),
        batch_size=2,
        epochs=EPOCHS,
        optimizer="adamw",
        learning_rate=0.01,
        weight_decay=0.01,
        augmentation={"scale": [0.6, 2.0], "scale_step": 0, "hue": 0.1},
        class_weights="median_frequency",
        class_weight_power=0.5,
        batch_norm_momentum=0.8,
        ema=0.7,
    )
    return tiny.with_changes(changes)


def one_epoch() -> Recipe:
    """The shortest training that writes all its files."""
    return recipe(epochs=1, ema=None, class_weights=None, optimizer="sgd")


def write_data(root: pathlib.Path) -> pathlib.Path:
    """Six photos to train on and two to score, whose colours tell the class."""
    random = np.random.default_rng(0)
    for split, count in (("train", 6), ("val", 2)):
        for folder in ("images", "masks"):
            (root / split / folder).mkdir(parents=True)
        for index in range(count):
            patches = random.integers(0, len(CLASSES), (3, 4))
            labels = patches.repeat(11, axis=0).repeat(12, axis=1).astype("uint8")
            labels[:2] = 255
            photo = Image.fromarray(label_colors()[labels])
            photo.save(root / split / "images" / f"{index}.png")
            write_labels(root / split / "masks" / f"{index}.png", labels)
    (root / "classes.txt").write_text("\n".join(CLASSES))
    return root


class KillIn(keras.callbacks.Callback):
    """Ends the process as a crash of the machine would, after the first step."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self._epoch = epoch
        self._now = -1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._now = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self._now, batch) == (self._epoch, 0):
            os.kill(os.getpid(), signal.SIGKILL)


def replicas_of(count: int | None) -> Replicas:
    """Replicas on as many parts of the CPU, or the workers of the cluster."""
    if count is None:
        return make_strategy("multiworker" if "TF_CONFIG" in os.environ else "none")
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * count
    tf.config.set_logical_device_configuration(cpu, parts)
    return make_strategy("mirrored", devices=[f"CPU:{i}" for i in range(count)])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--kill-in", type=int)
    parser.add_argument("--replicas", type=int)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--changes", type=json.loads, default={})
    given = parser.parse_args()
    replicas = replicas_of(given.replicas)
    tiny = recipe(**given.changes)
    train(
        tiny,
        find_data(tiny, given.data),
        given.out,
        resume=given.resume,
        strategy=replicas,
        verbose=0,
        callbacks=[] if given.kill_in is None else [KillIn(given.kill_in)],
    )


if __name__ == "__main__":
    main()
