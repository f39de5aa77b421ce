"""Batches of a `tf.data.Dataset`."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_deeplab._types import Tensor
from keras_deeplab.data.batching import Batching
from keras_deeplab.data.quiet_exit import until_exit
from keras_deeplab.data.read_sample import Sample
from keras_deeplab.data.samples import Samples
from keras_deeplab.data.segmentation_data import SegmentationData


def make_dataset(
    data: SegmentationData,
    *,
    batch_size: int,
    drop_remainder: bool | None = None,
    preprocess: Callable[[Tensor], Tensor] | None = None,
    first_epoch: int = 0,
    repeat: bool = False,
    **options: Any,
) -> Any:
    """Makes batches for `fit` and `evaluate`, as a `tf.data.Dataset`.

    Each run through the dataset is the next epoch, counted from `first_epoch`. The
    same arguments give the same batches, whatever the number of threads, and those of
    `SegmentationSequence`. Files are read and augmented by parallel threads while
    the model computes.

    Under `tf.distribute`, `batch_size` is the global one; every replica gets its part.
    There `fit` may begin a run more often than it ends one; `repeat`, and
    `fit(steps_per_epoch=...)`, keep the epochs' numbers.
    `fit` warns that it does not shuffle a dataset unless told `shuffle=False`; this one
    is shuffled.

    Args:
        data: Photos with masks.
        batch_size: Samples a batch, at least 1.
        drop_remainder: Whether the last batch is left out where it is smaller; `None`
            if samples are augmented, but not where there is no full batch.
        preprocess: Called with each batch of images; `model.preprocess` for a model
            that does not preprocess by itself.
        first_epoch: Number of the first epoch; for a training that is taken up again.
        repeat: Whether a run goes on through all epochs without end. Every run then
            begins with `first_epoch`.
        **options: Passed to `Samples`: `crop_size`, which must be given, and
            `augment`, `pad_pixel`, `seed`, `shuffle`, `cache`.

    Returns:
        A dataset of images, float32 RGB of 0 to 255 `(batch, H, W, 3)` before
        `preprocess`, and labels, int32 `(batch, H, W)`. A file that cannot be used
        raises `tf.errors.InvalidArgumentError` that names it, when its turn comes.

    Raises:
        ImportError: If TensorFlow is not installed.
        ValueError: If an argument is out of range.
        TypeError: If an option is unknown.
    """
    tf = _tensorflow()
    samples = Samples(data, **options)
    batching = Batching(samples, batch_size, drop_remainder)
    used = batching.used(len(samples))
    runs = itertools.count(first_epoch)
    blank = _blank(samples)
    sample = until_exit(samples.sample, blank)

    def epochs() -> Any:
        if repeat:
            return tf.data.Dataset.range(first_epoch, tf.int64.max)
        once = tf.data.Dataset.range(1)
        return once.map(lambda _: tf.numpy_function(lambda: next(runs), [], tf.int64))

    def order(epoch: Any) -> Any:
        indices = tf.numpy_function(
            lambda epoch: samples.order(epoch)[:used], [epoch], tf.int64
        )
        indices.set_shape([used])
        dataset = tf.data.Dataset.from_tensor_slices(indices)
        return dataset.map(lambda index: (epoch, index))

    def load(epoch: Any, index: Any) -> Any:
        types = [array.dtype for array in blank]
        image, labels = tf.numpy_function(sample, [epoch, index], types, stateful=False)
        size = samples.crop_size or (None, None)
        image.set_shape((*size, 3))
        labels.set_shape(size)
        return image, labels

    # Beside `from_generator`, which would do the same, memory is given back to the
    # system and asked for again all the time: a fifth of the whole.
    dataset = epochs().flat_map(order)
    count = tf.data.INFINITE_CARDINALITY if repeat else used
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    dataset = dataset.map(load, tf.data.AUTOTUNE, deterministic=True)
    dataset = dataset.batch(batching.batch_size, batching.drop_remainder)

    def finish(images: Any, labels: Any) -> Any:
        # Whole batches, because bytes are a quarter of what floats are to move.
        images = tf.cast(images, tf.float32)
        labels = tf.cast(labels, tf.int32)
        return preprocess(images) if preprocess else images, labels

    dataset = dataset.map(finish, tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE)


def _blank(samples: Samples) -> Sample:
    size = samples.crop_size or (1, 1)
    labels = np.zeros(size, samples.data.table.dtype)
    return Sample(np.zeros((*size, 3), "uint8"), labels)


def _tensorflow() -> Any:
    # Heavy, and needed by nothing else here.
    try:
        import tensorflow
    except ImportError as error:
        raise ImportError(
            "`make_dataset` needs TensorFlow: pip install tensorflow. "
            "`SegmentationSequence` makes the same batches without it."
        ) from error
    return tensorflow
