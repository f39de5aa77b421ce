"""The learning rate of the papers: polynomial decay after a slow start."""

from typing import Any

import keras
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import arguments

SLOW_STARTS = ("constant", "linear")


@register
class PolyDecay(keras.optimizers.schedules.LearningRateSchedule):
    """`learning_rate * (1 - step / total_steps)^power`, after a slow start.

    For the first `slow_start_steps` the rate is `slow_start_rate`, or climbs from it
    in a line (`"linear"`, a warm-up). The decay then runs over what is left of
    `total_steps`, and the rate stays at its end afterwards.

    A step is a batch: with `gradient_accumulation_steps` Keras counts every batch
    here, not every update.

    Args:
        learning_rate: Rate at the begin of the decay, above 0.
        total_steps: Step at which the decay ends.
        power: Exponent; 0.9 in the papers.
        end_rate: Rate at the end of the decay, at least 0.
        slow_start_steps: Number of slow steps, below `total_steps`; 0 for none.
        slow_start_rate: Rate of the first step of a slow start, at least 0.
        slow_start: `"constant"` or `"linear"`.

    Raises:
        ValueError: If an argument is out of range.

    Examples:
        >>> schedule = keras_deeplab.training.PolyDecay(0.007, 30_000)
        >>> round(float(schedule(15_000)), 6)
        0.003751

    References:
        - [Liu et al., 2015](https://arxiv.org/abs/1506.04579), section 3.3
        - [Chen et al., 2016](https://arxiv.org/abs/1606.00915), section 4.1.2
    """

    def __init__(
        self,
        learning_rate: float,
        total_steps: int,
        *,
        power: float = 0.9,
        end_rate: float = 0.0,
        slow_start_steps: int = 0,
        slow_start_rate: float = 1e-4,
        slow_start: str = "constant",
    ) -> None:
        total_steps = arguments.positive(total_steps=total_steps)
        arguments.check_choice(SLOW_STARTS, slow_start=slow_start)
        if not 0 <= slow_start_steps < total_steps:
            raise ValueError(
                "`slow_start_steps` must be at least 0 and below `total_steps`. "
                f"Received: {slow_start_steps=}, {total_steps=}"
            )
        super().__init__()
        self.learning_rate = arguments.above_zero(learning_rate=learning_rate)
        self.total_steps = total_steps
        self.power = arguments.above_zero(power=power)
        self.end_rate = arguments.not_negative(end_rate=end_rate)
        self.slow_start_steps = int(slow_start_steps)
        self.slow_start_rate = arguments.not_negative(slow_start_rate=slow_start_rate)
        self.slow_start = slow_start
        self._decay = keras.optimizers.schedules.PolynomialDecay(
            self.learning_rate,
            total_steps - self.slow_start_steps,
            end_learning_rate=self.end_rate,
            power=self.power,
        )

    def __call__(self, step: Tensor) -> Tensor:
        step = ops.cast(step, "float32")
        rate = self._decay(ops.maximum(step - self.slow_start_steps, 0.0))
        if not self.slow_start_steps:
            return rate
        climb = self.learning_rate - self.slow_start_rate
        if self.slow_start == "constant":
            climb = 0.0
        slow = self.slow_start_rate + climb * step / self.slow_start_steps
        return ops.where(step < self.slow_start_steps, slow, rate)

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "total_steps": self.total_steps,
            "power": self.power,
            "end_rate": self.end_rate,
            "slow_start_steps": self.slow_start_steps,
            "slow_start_rate": self.slow_start_rate,
            "slow_start": self.slow_start,
        }
