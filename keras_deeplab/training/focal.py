"""The focal loss: cross-entropy that looks away from what is already right."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.training.pixel_loss import PixelLoss, mean_over

# Of the distance of a probability from 1, whose power below 1 has no slope at 0.
_LEAST = 1e-7


@register
class Focal(PixelLoss):
    """Mean focal loss over the labelled pixels.

    A pixel whose own class has the probability `p` counts `-(1 - p)^gamma log(p)`. The
    paper divides by the number of foreground boxes, which pixels do not have: here
    the divisor is the number of labelled pixels. Its factor alpha is `class_weights`.

    Args:
        gamma: How much less the easy pixels count, at least 0; 0 is cross-entropy.
        ignore_label: Label of the pixels to leave out, or `None` to count all.
        class_weights: A weight for each class, or `None` for 1.
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
        >>> loss = keras_deeplab.training.Focal(gamma=2.0)
        >>> round(float(loss(np.array([[[0]]]), np.array([[[[0.0, 0.0]]]]))), 4)
        0.1733

    References:
        - [Lin et al., 2017](https://arxiv.org/abs/1708.02002), section 3
    """

    def __init__(
        self,
        *,
        gamma: float = 2.0,
        ignore_label: int | None = 255,
        class_weights: Sequence[float] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            ignore_label=ignore_label, class_weights=class_weights, name=name
        )
        self.gamma = arguments.not_negative(gamma=gamma)

    def batch_loss(
        self, labels: Tensor, logits: Tensor, counted: Tensor, weights: Tensor
    ) -> Tensor:
        losses = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        # 1 - p without a difference of nearly equal numbers.
        missing = ops.maximum(-ops.expm1(-losses), _LEAST)
        losses *= ops.power(missing, self.gamma) * weights * self.weights_of(labels)
        return mean_over(losses, counted)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gamma": self.gamma}
