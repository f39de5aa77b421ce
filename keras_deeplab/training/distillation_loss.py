"""How far a student's scores are from its teacher's."""

from typing import Any

from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.training.pixel_loss import PixelLoss, mean_over


@register
class DistillationLoss(PixelLoss):
    """Mean divergence of a student from its teacher over the labelled pixels.

    The Kullback-Leibler divergence of the two softmaxes at a temperature `t`, times
    `t^2`, which keeps the size of the gradient as `t` changes.

    Args:
        temperature: By which both logits are divided, above 0.
        ignore_label: Label of the pixels to leave out, or `None` to count all.
        name: Name of the loss.

    Call arguments:
        y_true: Labels, `(batch, height, width)` or `(batch, height, width, 1)`. They
            only say which pixels count.
        y_pred: The student's and the teacher's logits, a tuple of two tensors
            `(batch, height, width, classes)`.
        sample_weight: Weights of the images, `(batch,)`, or of the pixels, of the
            labels' shape. `None` for 1.

    Raises:
        ValueError: If `temperature` is not above 0.

    Examples:
        >>> loss = keras_deeplab.training.DistillationLoss(temperature=1.0)
        >>> student, teacher = np.zeros((1, 1, 1, 2)), np.array([[[[0.0, 1.0]]]])
        >>> round(float(loss(np.zeros((1, 1, 1)), (student, teacher))), 4)
        0.1109

    References:
        - [Hinton et al., 2015](https://arxiv.org/abs/1503.02531), section 2
    """

    def __init__(
        self,
        *,
        temperature: float = 1.0,
        ignore_label: int | None = 255,
        name: str | None = None,
    ) -> None:
        super().__init__(ignore_label=ignore_label, name=name)
        self.temperature = arguments.above_zero(temperature=temperature)

    def batch_loss(
        self, labels: Tensor, logits: Tensor, counted: Tensor, weights: Tensor
    ) -> Tensor:
        student, teacher = (
            ops.log_softmax(scores / self.temperature, axis=-1) for scores in logits
        )
        divergence = ops.sum(ops.exp(teacher) * (teacher - student), axis=-1)
        return self.temperature**2 * mean_over(divergence * weights, counted)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "temperature": self.temperature}
        del config["class_weights"]
        return config
