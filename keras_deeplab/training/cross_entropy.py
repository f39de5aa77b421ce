"""Cross-entropy over the labelled pixels, or over the hardest of them."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.training.pixel_loss import PixelLoss, mean_over


@register
class SegmentationCrossEntropy(PixelLoss):
    """The loss of the papers: mean cross-entropy over the labelled pixels.

    With `hardest` below 1 only that fraction of the batch's pixels counts, those of
    the highest loss, as the official code trains the larger Cityscapes models. The
    fraction is of all pixels, ignored ones included.

    Args:
        ignore_label: Label of the pixels to leave out, or `None` to count all.
        class_weights: A weight for each class, or `None` for 1.
        label_smoothing: Share of the target that is spread evenly over all classes, in
            `[0, 1)`.
        hardest: Fraction of the pixels that count, in `(0, 1]`; 1 for all.
        name: Name of the loss.

    Call arguments:
        y_true: Labels, `(batch, height, width)` or `(batch, height, width, 1)`,
            integers of any dtype.
        y_pred: Logits, `(batch, height, width, classes)`, floating point.
        sample_weight: Weights of the images, `(batch,)`, or of the pixels, of the
            labels' shape. `None` for 1.

    Raises:
        ValueError: If an argument is out of range, or `class_weights` does not fit
            the logits.

    Examples:
        >>> loss = keras_deeplab.training.SegmentationCrossEntropy()
        >>> labels = np.array([[[0, 255]]])
        >>> logits = np.array([[[[0.0, 0.0], [9.0, -9.0]]]])
        >>> round(float(loss(labels, logits)), 4)
        0.6931

    References:
        - [Chen et al., 2016](https://arxiv.org/abs/1606.00915), section 4
        - [Shrivastava et al., 2016](https://arxiv.org/abs/1604.03540), section 4
          (hard examples)
    """

    def __init__(
        self,
        *,
        ignore_label: int | None = 255,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        hardest: float = 1.0,
        name: str | None = None,
    ) -> None:
        label_smoothing = arguments.fraction(label_smoothing=label_smoothing)
        hardest = arguments.above_zero(hardest=hardest)
        arguments.within(0, 1, hardest=hardest)
        super().__init__(
            ignore_label=ignore_label, class_weights=class_weights, name=name
        )
        self.label_smoothing = label_smoothing
        self.hardest = hardest

    def batch_loss(
        self, labels: Tensor, logits: Tensor, counted: Tensor, weights: Tensor
    ) -> Tensor:
        losses = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        if self.label_smoothing:
            even = ops.logsumexp(logits, axis=-1) - ops.mean(logits, axis=-1)
            losses += self.label_smoothing * (even - losses)
        losses *= weights * self.weights_of(labels)
        if self.hardest == 1:
            return mean_over(losses, counted)
        return self._mean_over_hardest(ops.ravel(losses), counted)

    def _mean_over_hardest(self, losses: Tensor, counted: Tensor) -> Tensor:
        kept = _share(self.hardest, ops.shape(losses)[0])
        losses, _ = ops.top_k(losses, kept, sorted=False)
        most = ops.minimum(ops.cast(kept, "float32"), ops.sum(counted))
        return ops.sum(losses) / ops.maximum(most, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "hardest": self.hardest,
        }


def _share(fraction: float, pixels: Tensor) -> Tensor:
    # A number stays a number: a compiled step has to know how many are kept.
    if isinstance(pixels, int):
        return max(1, int(fraction * pixels))
    share = ops.cast(fraction * ops.cast(pixels, "float32"), "int32")
    return ops.maximum(share, 1)
