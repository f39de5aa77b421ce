"""What the losses share: which pixels count, and by how much."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.training.replicas import share_of_images


class PixelLoss(keras.losses.Loss):
    """A loss over the labelled pixels of a batch.

    The base of the losses from logits; use one of them. Each is a mean over the pixels
    that count, over the whole batch at once; where none counts it is 0, and so is its
    gradient. It is computed in float32 under every policy.

    Under `tf.distribute` the mean is over the pixels of all replicas. The hardest
    pixels, and the classes of `Dice`, are of each replica by itself.

    Class and sample weights multiply and leave the divisor alone, as in Keras and in
    the official code: keep their mean near 1.

    Args:
        ignore_label: Label of the pixels to leave out, or `None` to count all. A label
            that is not in `0 .. classes - 1` is left out in any case.
        class_weights: A weight for each class, or `None` for 1.
        name: Name of the loss.

    Call arguments:
        y_true: Labels, `(batch, height, width)` or `(batch, height, width, 1)`,
            integers of any dtype.
        y_pred: Logits, `(batch, height, width, classes)`, floating point.
        sample_weight: Weights of the images, `(batch,)`, or of the pixels, of the
            labels' shape. `None` for 1.
    """

    def __init__(
        self,
        *,
        ignore_label: int | None = 255,
        class_weights: Sequence[float] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype="float32")
        self.ignore_label = ignore_label
        self.class_weights = (
            None
            if class_weights is None
            else arguments.numbers_of(class_weights=class_weights)
        )

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None
    ) -> Tensor:
        # The weights travel with the labels: Keras would multiply what `call` returns,
        # which is one number for the whole batch.
        weights = 1.0 if sample_weight is None else sample_weight
        return super().__call__((y_true, weights), y_pred)

    def call(self, y_true: tuple[Tensor, Tensor], y_pred: Tensor) -> Tensor:
        labels, weights = y_true
        labels = ops.cast(_without_channel(labels), "int32")
        classes = keras.tree.flatten(y_pred)[0].shape[-1]
        self._check_classes(classes)
        counted = ops.logical_and(labels >= 0, labels < classes)
        if self.ignore_label is not None:
            counted = ops.logical_and(counted, labels != self.ignore_label)
        labels = ops.where(counted, labels, 0)
        counted = ops.cast(counted, "float32")
        loss = self.batch_loss(labels, y_pred, counted, _spread(weights) * counted)
        # Of one element: Keras averages that over replicas, and a scalar it does not.
        return ops.reshape(loss, (1,))

    def batch_loss(
        self, labels: Tensor, logits: Tensor, counted: Tensor, weights: Tensor
    ) -> Tensor:
        """The loss of a batch.

        Args:
            labels: `(batch, height, width)`, int32 in `0 .. classes - 1`; 0 where a
                pixel does not count.
            logits: `(batch, height, width, classes)`, float32.
            counted: `(batch, height, width)`, float32: 1 where a pixel counts, else 0.
            weights: As `counted`, times the sample weights.

        Returns:
            A float32 scalar.
        """
        raise NotImplementedError

    def weights_of(self, labels: Tensor) -> Tensor:
        """The class weight of every pixel, or 1."""
        if self.class_weights is None:
            return 1.0
        table = ops.convert_to_tensor(self.class_weights, dtype="float32")
        return ops.take(table, labels)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ignore_label": self.ignore_label,
            "class_weights": self.class_weights,
        }

    def _check_classes(self, classes: int) -> None:
        weights = self.class_weights
        if weights is not None and len(weights) != classes:
            raise ValueError(
                f"`class_weights` must hold one weight for each of the {classes} "
                f"classes. Received: class_weights={weights}"
            )


def mean_over(values: Tensor, counted: Tensor) -> Tensor:
    """The sum of the values over the number of pixels that count; 0 if none does.

    On one of several replicas the number is what its images have on the average of the
    batch, so that the mean that Keras takes over replicas is that of the batch.
    """
    pixels = share_of_images(ops.sum(counted), ops.shape(counted)[0])
    return ops.sum(values) / ops.maximum(pixels, 1.0)


def _without_channel(labels: Tensor) -> Tensor:
    return ops.squeeze(labels, -1) if len(labels.shape) == 4 else labels


def _spread(weights: Tensor) -> Tensor:
    """Weights of images beside weights of pixels."""
    rank = len(weights.shape)
    if rank == 1:
        return ops.reshape(weights, (-1, 1, 1))
    return _without_channel(weights)
