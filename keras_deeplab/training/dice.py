"""The soft Dice loss: overlap of each class, however rare."""

from collections.abc import Sequence

from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.training.pixel_loss import PixelLoss


@register
class Dice(PixelLoss):
    """One minus the soft Dice overlap, averaged over the classes in the labels.

    The overlap of a class is twice the probability on its own pixels over the sum of
    its probability everywhere and its number of pixels, over the batch as a whole. A
    class that no label of the batch has is left out of the mean. It goes well together
    with cross-entropy, whose gradient is steadier.

    Args:
        ignore_label: Label of the pixels to leave out, or `None` to count all.
        class_weights: A weight for each class's term of the mean, or `None` for 1.
        name: Name of the loss.

    Call arguments:
        y_true: Labels, `(batch, height, width)` or `(batch, height, width, 1)`,
            integers of any dtype.
        y_pred: Logits, `(batch, height, width, classes)`, floating point.
        sample_weight: Weights of the images, `(batch,)`, or of the pixels, of the
            labels' shape. `None` for 1.

    Raises:
        ValueError: If `class_weights` holds a negative number, or does not fit the
            logits.

    Examples:
        >>> loss = keras_deeplab.training.Dice()
        >>> round(float(loss(np.array([[[0]]]), np.array([[[[0.0, 0.0]]]]))), 4)
        0.3333

    References:
        - [Milletari et al., 2016](https://arxiv.org/abs/1606.04797), section 3
    """

    def __init__(
        self,
        *,
        ignore_label: int | None = 255,
        class_weights: Sequence[float] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            ignore_label=ignore_label, class_weights=class_weights, name=name
        )

    def batch_loss(
        self, labels: Tensor, logits: Tensor, counted: Tensor, weights: Tensor
    ) -> Tensor:
        probabilities = ops.softmax(logits, axis=-1)
        weights = ops.expand_dims(weights, -1)
        truth = ops.one_hot(labels, logits.shape[-1], dtype="float32") * weights
        pixels = ops.sum(truth, axis=(0, 1, 2))
        overlap = ops.sum(probabilities * truth, axis=(0, 1, 2))
        whole = ops.sum(probabilities * weights, axis=(0, 1, 2)) + pixels
        present = pixels > 0
        misses = 1 - 2 * overlap / ops.where(present, whole, 1.0)
        present = ops.cast(present, "float32")
        misses *= present * self.weights_of(ops.arange(logits.shape[-1]))
        return ops.sum(misses) / ops.maximum(ops.sum(present), 1.0)
