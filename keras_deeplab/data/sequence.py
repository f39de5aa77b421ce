"""Batches without TensorFlow."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_deeplab._types import Tensor
from keras_deeplab.data.batching import Batching
from keras_deeplab.data.samples import Samples
from keras_deeplab.data.segmentation_data import SegmentationData


class SegmentationSequence(keras.utils.PyDataset):
    """Makes batches for `fit` and `evaluate` on any backend, without TensorFlow.

    The batches are those of `make_dataset`. Files are read and augmented by `workers`
    threads, or processes, while the model computes. On JAX and PyTorch, `fit` first
    takes a batch to learn its shape, which counts as an epoch.

    Args:
        data: Photos with masks.
        batch_size: Samples a batch, at least 1.
        drop_remainder: Whether the last batch is left out where it is smaller; `None`
            if samples are augmented, but not where there is no full batch.
        preprocess: Called with each batch of images; `model.preprocess` for a model
            that does not preprocess by itself.
        first_epoch: Number of the first epoch; for a training that is taken up again.
        workers: Number of threads or processes.
        use_multiprocessing: Whether the workers are processes. They do not share what
            `cache` keeps.
        max_queue_size: Batches made ahead.
        **options: Passed to `Samples`: `crop_size`, which must be given, and
            `augment`, `pad_pixel`, `seed`, `shuffle`, `cache`.

    Raises:
        ValueError: If an argument is out of range.
        TypeError: If an option is unknown.
    """

    def __init__(
        self,
        data: SegmentationData,
        *,
        batch_size: int,
        drop_remainder: bool | None = None,
        preprocess: Callable[[Tensor], Tensor] | None = None,
        first_epoch: int = 0,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
        **options: Any,
    ) -> None:
        super().__init__(
            workers=workers,
            use_multiprocessing=use_multiprocessing,
            max_queue_size=max_queue_size,
        )
        self.samples = Samples(data, **options)
        self.epoch = first_epoch
        self._batching = Batching(self.samples, batch_size, drop_remainder)
        self._preprocess = preprocess
        self._order = self.samples.order(first_epoch)
        self._begun = False

    def __len__(self) -> int:
        return self._batching.batches(len(self.samples))

    def __getitem__(self, index: int) -> tuple[Any, np.ndarray[Any, Any]]:
        size = self._batching.batch_size
        chosen = self._order[index * size : (index + 1) * size]
        pairs = [self.samples.sample(self.epoch, int(one)) for one in chosen]
        images, labels = zip(*pairs, strict=True)
        images = np.stack(images, dtype="float32")
        if self._preprocess is not None:
            images = keras.ops.convert_to_numpy(self._preprocess(images))
        return images, np.stack(labels, dtype="int32")

    def go_to(self, epoch: int) -> None:
        """Makes the batches of an epoch from now on; call it between epochs.

        Args:
            epoch: The epoch, from 0.
        """
        self.epoch = epoch
        self._order = self.samples.order(epoch)

    def on_epoch_begin(self) -> None:
        """Begins an epoch; Keras calls it."""
        self._begun = True

    def on_epoch_end(self) -> None:
        """Goes on to the next epoch; Keras calls it."""
        # Keras also ends, to be sure, what it has not begun.
        self.go_to(self.epoch + self._begun)
        self._begun = False
