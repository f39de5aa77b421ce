"""Batches of this project's input pipeline, and bare decoding, each made to the end."""

import pathlib
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from keras_deeplab.data import (
    Augmentation,
    SegmentationData,
    SegmentationSequence,
    make_dataset,
    match_pairs,
)


def decode_only(data: SegmentationData) -> tf.data.Dataset:
    """TensorFlow's decoding. Of palette masks it gives colours, at the same cost."""

    def load(image: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        photo = tf.io.decode_image(tf.io.read_file(image), 3, expand_animations=False)
        return photo, tf.io.decode_png(tf.io.read_file(mask))

    images = [str(pair.image) for pair in data.pairs]
    masks = [str(pair.mask) for pair in data.pairs]
    dataset = tf.data.Dataset.from_tensor_slices((images, masks))
    return dataset.map(load, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


class Batches:
    """All batches, once for each `drain`."""

    def __init__(self, batches: Iterable[Any]) -> None:
        self._batches = batches

    def drain(self) -> None:
        # One at a time: a batch that is kept is memory that the next one cannot have.
        if isinstance(self._batches, SegmentationSequence):
            for index in range(len(self._batches)):
                self._batches[index]
        else:
            for _ in self._batches:
                pass


MAKERS = {"dataset": make_dataset, "sequence": SegmentationSequence}


def build(
    folder: str, maker: str, augment: dict[str, float] | None = None, **settings: Any
) -> Batches:
    root = pathlib.Path(folder)
    pairs = match_pairs(root / "images", root / "masks")
    data = SegmentationData(pairs, [str(label) for label in range(255)])
    if maker == "decode_only":
        return Batches(decode_only(data))
    if augment is not None:
        settings["augment"] = Augmentation(**augment)
    return Batches(MAKERS[maker](data, **settings))
