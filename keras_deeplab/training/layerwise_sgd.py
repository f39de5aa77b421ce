"""Stochastic gradient descent as the papers have it."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.training.layerwise import UNDECAYED, Layerwise


@register
class LayerwiseSGD(Layerwise, keras.optimizers.SGD):
    """SGD with momentum, weight decay and a learning rate for each layer.

    A multiplier of the learning rate equals one of the gradient. The weight decay is
    that of Caffe and of the official code, an L2 penalty `weight_decay / 2 * w^2`: it
    is added to the gradient, after clipping, and goes through the momentum, so the
    papers' figures apply. The `weight_decay` of `keras.optimizers.SGD` is another one:
    with momentum 0.9 it shrinks the weights about ten times less.

    Args:
        learning_rate: A number or a schedule.
        momentum: Share of the last update that goes on, in `[0, 1]`.
        multipliers: Factors of the learning rate by pattern (`re.search`) of a
            variable's path, such as `logits/kernel`; the first that matches counts,
            and 1 where none does. See `classifier_multipliers`.
        weight_decay: Strength of the decay, at least 0.
        undecayed: Patterns of the paths that do not decay: biases, batch norms and
            depthwise kernels, as in the official code.
        **kwargs: Arguments of `keras.optimizers.SGD`: `nesterov`, `global_clipnorm`,
            `gradient_accumulation_steps` (on one replica only: Keras cannot accumulate
            under `tf.distribute`), `use_ema`, ...

    Raises:
        ValueError: If a number is out of range, a pattern is not a regular expression,
            or, when the optimizer meets the model, a multiplier matches no variable.

    Examples:
        >>> optimizer = keras_deeplab.training.LayerwiseSGD(
        ...     keras_deeplab.training.PolyDecay(0.007, 30_000), weight_decay=4e-5
        ... )
    """

    def __init__(
        self,
        learning_rate: Any,
        *,
        momentum: float = 0.9,
        multipliers: Mapping[str, float] | None = None,
        weight_decay: float = 0.0,
        undecayed: Sequence[str] = UNDECAYED,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            multipliers=multipliers,
            weight_decay=weight_decay,
            undecayed=undecayed,
            momentum=momentum,
            **kwargs,
        )

    def update_step(
        self, gradient: Tensor, variable: Any, learning_rate: Tensor
    ) -> None:
        rate, decay = self.rate_and_decay(variable, learning_rate)
        if decay:
            gradient = ops.add(gradient, ops.multiply(variable, decay))
        super().update_step(gradient, variable, rate)
