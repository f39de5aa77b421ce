"""One worker of a training of several, or all of it where `TF_CONFIG` is not set.

Run as a script: `python FILE FOLDER [EPOCH]`. In the folder, which all workers share,
the chief saves after each epoch, and a training takes up what it finds there. Every
worker writes what it ends with to `FOLDER/WORKER.npz`. With `EPOCH` the worker is
killed in the middle of that one.
"""

import os
import pathlib
import signal
import sys
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_deeplab.metrics import MeanIoU
from keras_deeplab.training import (
    Replicas,
    SegmentationCrossEntropy,
    StopOnNaN,
    make_strategy,
)
from tests.training.training_worker import CLASSES, OPTIMIZERS, data, network

EPOCHS = 4


class SaveEpoch(keras.callbacks.Callback):
    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__()
        self.folder = folder

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        part = self.folder / "part.weights.h5"
        self.model.save_weights(part)
        part.replace(self.folder / f"{epoch + 1}.weights.h5")


class Die(keras.callbacks.Callback):
    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.dying = epoch == self.epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.dying:
            os.kill(os.getpid(), signal.SIGKILL)


def train(replicas: Replicas, folder: pathlib.Path, dies_at: int) -> None:
    saved = sorted(folder.glob("[0-9].weights.h5"))
    with replicas:
        model = network(6)
        model.compile(
            OPTIMIZERS["sgd"](),
            SegmentationCrossEntropy(),
            metrics=[MeanIoU(CLASSES)],
        )
        if saved:
            model.optimizer.build(model.trainable_variables)
            model.load_weights(saved[-1])
    images, labels = data(count=16)
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8)
    history = model.fit(
        batches,
        epochs=EPOCHS,
        initial_epoch=len(saved),
        validation_data=batches.take(1),
        shuffle=False,
        verbose=0,
        callbacks=[StopOnNaN(), Die(dies_at), *replicas.on_chief([SaveEpoch(folder)])],
    ).history
    answers = model.predict(batches, verbose=0)
    np.savez(
        folder / f"{replicas.worker}.npz",
        weights=np.concatenate([np.ravel(each) for each in model.get_weights()]),
        history=np.array([history[key][-1] for key in sorted(history)]),
        answers=answers,
        epochs=len(history["loss"]),
    )


def main(folder: str, dies_at: int = -1) -> None:
    name = "multiworker" if "TF_CONFIG" in os.environ else "none"
    train(make_strategy(name), pathlib.Path(folder), dies_at)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
