"""Numbers as they come back from 8 bits, with gradients as if nothing had happened.

As TFLite stores them: kernels as integers of -127 to 127 with a scale for each output
channel, feature maps as -128 to 127 with one scale and one zero point.
(Jacob et al., 2018, https://arxiv.org/abs/1712.05877, section 3.)
"""

from typing import Any

import keras
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import arguments

_STEPS = 255
_MOST = 127
_SMALLEST = 1e-8


def fake_quantize(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Rounds values to the 256 numbers of a range, of which zero is one.

    The gradient is 1 inside of the range and 0 outside.

    Args:
        values: Any shape, float32.
        low: Lower end of the range, at most 0; a scalar.
        high: Upper end, at least 0.

    Returns:
        The shape of `values`, float32.
    """
    step = ops.maximum((high - low) / _STEPS, _SMALLEST)
    # An integer, so that zero is among the numbers.
    below = ops.round(low / step)
    clipped = ops.clip(values, below * step, (below + _STEPS) * step)
    return _straight_through(clipped, ops.round(clipped / step) * step)


def fake_quantize_kernel(kernel: Tensor, *, depthwise: bool = False) -> Tensor:
    """Rounds a kernel to 255 numbers for each output channel, symmetric around zero.

    A batch norm behind it may be folded in before or after: it scales whole channels,
    and their numbers with them. The gradient is 1.

    Args:
        kernel: `(height, width, channels, filters)`, float32.
        depthwise: Whether the output channels are the third axis.

    Returns:
        The shape of `kernel`.
    """
    axes = (0, 1, 3) if depthwise else (0, 1, 2)
    largest = ops.max(ops.abs(kernel), axis=axes, keepdims=True)
    step = ops.maximum(largest / _MOST, _SMALLEST)
    return _straight_through(kernel, ops.round(kernel / step) * step)


def _straight_through(values: Tensor, rounded: Tensor) -> Tensor:
    return values + ops.stop_gradient(rounded - values)


@register
class FakeQuantize(keras.layers.Layer):
    """Rounds a feature map to 8 bits, in the range of what it has seen.

    While training, the ends of the range follow the least and the greatest value of
    each batch. The first, and all before it, pass as they are.

    Args:
        momentum: Share of the old ends kept at each training step, in `[0, 1]`.
        **kwargs: Passed to `keras.layers.Layer`, for example `name`.

    Call arguments:
        inputs: Any shape, floating point.
        training: Whether the range follows the inputs.
    """

    def __init__(self, momentum: float = 0.99, **kwargs: Any) -> None:
        momentum = arguments.within(0, 1, momentum=momentum)
        super().__init__(**{"autocast": False, **kwargs})
        self.momentum = float(momentum)
        # Both are zero until something was seen.
        self.low, self.high = (
            self.add_weight(
                name=name,
                shape=(),
                initializer="zeros",
                trainable=False,
                dtype="float32",
                # Of replicas, which see other parts of the batch.
                aggregation="mean",
            )
            for name in ("low", "high")
        )
        self.built = True

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        values = ops.cast(inputs, "float32")
        is_new = ops.equal(ops.convert_to_tensor(self.low), self.high)
        if training:
            self._follow(ops.stop_gradient(values), is_new)
        rounded = fake_quantize(values, self.low, self.high)
        outputs = ops.where(is_new, values, rounded)
        return ops.cast(outputs, inputs.dtype)

    def _follow(self, values: Tensor, is_new: Tensor) -> None:
        found = ops.minimum(ops.min(values), 0.0), ops.maximum(ops.max(values), 0.0)
        for end, now in zip((self.low, self.high), found, strict=True):
            kept = self.momentum * end + (1 - self.momentum) * now
            end.assign(ops.where(is_new, now, kept))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}
