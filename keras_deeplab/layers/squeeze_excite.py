"""Squeeze and excitation: a gate on each channel, read off the whole map."""

from typing import Any

import keras
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Shape, Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.layers.atrous_conv import AtrousConv


@register
class SqueezeExcite(keras.layers.Layer):
    """Multiplies each channel by a gate between 0 and 1.

    The gate is a hard sigmoid of two `1 x 1` convolutions over the global mean.

    Args:
        squeezed_filters: Channels between the two convolutions.
        **kwargs: Passed to `keras.layers.Layer`, for example `name`, `dtype`.

    Call arguments:
        inputs: Feature map, see the input shape.

    Input shape:
        `(batch, height, width, channels)`. Height and width may be `None`.

    Output shape:
        The input's.

    Raises:
        ValueError: If `squeezed_filters` is not a positive integer.

    Examples:
        >>> layer = keras_deeplab.layers.SqueezeExcite(2)
        >>> tuple(layer(keras.ops.zeros((1, 5, 5, 8))).shape)
        (1, 5, 5, 8)

    References:
        - [Howard et al., 2019](https://arxiv.org/abs/1905.02244), section 5.3
    """

    def __init__(self, squeezed_filters: int, **kwargs: Any) -> None:
        checked = arguments.positive(squeezed_filters=squeezed_filters)
        super().__init__(**kwargs)
        self.squeezed_filters = checked

    def build(self, input_shape: Shape) -> None:
        channels = arguments.channels_of(input_shape)
        pooled = (input_shape[0], 1, 1)
        self.reduce = self._conv(self.squeezed_filters, "reduce")
        self.expand = self._conv(channels, "expand")
        self.reduce.build((*pooled, channels))
        self.expand.build((*pooled, self.squeezed_filters))

    def _conv(self, filters: int, name: str) -> AtrousConv:
        return AtrousConv(
            filters,
            1,
            kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.09),
            dtype=self.dtype_policy,
            name=name,
        )

    def call(self, inputs: Tensor) -> Tensor:
        mean = ops.mean(inputs, axis=(1, 2), keepdims=True)
        gate = self.expand(ops.relu(self.reduce(mean)))
        return inputs * ops.hard_sigmoid(gate)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "squeezed_filters": self.squeezed_filters}
