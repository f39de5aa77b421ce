"""AdamW whose settings differ by layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.training.layerwise import UNDECAYED, Layerwise


@register
class LayerwiseAdamW(Layerwise, keras.optimizers.Adam):
    """AdamW with a learning rate and a weight decay for each layer.

    A multiplier multiplies the update and the decay of a layer; multiplying the
    gradient would do nothing, since Adam divides by its size. The decay is the
    decoupled one: `w -= learning_rate * multiplier * weight_decay * w`.

    Args:
        learning_rate: A number or a schedule.
        multipliers: Factors of the learning rate by pattern (`re.search`) of a
            variable's path, such as `logits/kernel`; the first that matches counts,
            and 1 where none does. See `classifier_multipliers`.
        weight_decay: Strength of the decay, at least 0.
        undecayed: Patterns of the paths that do not decay: biases, batch norms and
            depthwise kernels, as in the official code.
        **kwargs: Arguments of `keras.optimizers.Adam`: `beta_1`, `beta_2`,
            `global_clipnorm`, `gradient_accumulation_steps` (on one replica only:
            Keras cannot accumulate under `tf.distribute`), `use_ema`, ...

    Raises:
        ValueError: If a number is out of range, a pattern is not a regular expression,
            or, when the optimizer meets the model, a multiplier matches no variable.

    Examples:
        >>> optimizer = keras_deeplab.training.LayerwiseAdamW(
        ...     6e-5, multipliers=keras_deeplab.training.classifier_multipliers(10, 10)
        ... )

    References:
        - [Loshchilov and Hutter, 2017](https://arxiv.org/abs/1711.05101), section 2
    """

    def __init__(
        self,
        learning_rate: Any,
        *,
        multipliers: Mapping[str, float] | None = None,
        weight_decay: float = 0.01,
        undecayed: Sequence[str] = UNDECAYED,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            multipliers=multipliers,
            weight_decay=weight_decay,
            undecayed=undecayed,
            **kwargs,
        )

    def update_step(
        self, gradient: Tensor, variable: Any, learning_rate: Tensor
    ) -> None:
        rate, decay = self.rate_and_decay(variable, learning_rate)
        if decay:
            self.assign_sub(variable, ops.multiply(variable, ops.multiply(rate, decay)))
        super().update_step(gradient, variable, rate)
