"""Convolution with holes: the operation DeepLab is named after."""

from typing import Any

import keras

from keras_deeplab._serialization import register
from keras_deeplab._types import Rate, Shape, Tensor
from keras_deeplab.layers import arguments, convolution
from keras_deeplab.layers.atrous_depthwise_conv import AtrousDepthwiseConv
from keras_deeplab.layers.base_atrous_conv import BaseAtrousConv


@register
class AtrousConv(BaseAtrousConv):
    """Convolves with taps that lie `rate` pixels apart.

    A kernel of size `k` at rate `r` spans `(k - 1) * r + 1` pixels with the weights of
    a `k x k` kernel: a wide view without losing resolution. `rate=1` is an ordinary
    convolution. With `separable=True` a depthwise convolution at that rate and stride
    comes first and this layer's own kernel is the `1 x 1` convolution after it.

    Two padding rules exist, and they differ only for strides above 1. `"symmetric"` is
    the official one of ResNet and Xception: both sides are padded alike, so that the
    output at position `i` is centred on the input at `strides * i` whatever the size.
    `"same"` is TensorFlow's, used by the MobileNets: even sizes are padded at the
    bottom and right only, which shifts the centres by half a stride. At sizes
    `strides * n + 1` the two are equal.

    On TensorFlow the layer converts to one TFLite operation at every rate, with static
    or unknown batch, height and width, and a following batch norm folds into it.

    Args:
        filters: Output channels.
        kernel_size: Taps along each side.
        strides: Step of the window in both directions.
        rate: Distance between taps; 1 is an ordinary convolution. Two integers for
            different distances down and across.
        separable: Whether to factor into a depthwise and a `1 x 1` convolution.
        padding: `"symmetric"` or `"same"`.
        use_bias: Whether to add one bias a filter.
        kernel_initializer: Initializer of the kernel.
        depthwise_initializer: Initializer of the depthwise kernel when `separable`.
        kernel_regularizer: Regularizer of the kernel, or `None`. The depthwise kernel
            is not regularized, as in the official code.
        **kwargs: Passed to `keras.layers.Layer`, for example `name`, `dtype`.

    Call arguments:
        inputs: Feature map, see the input shape.

    Input shape:
        `(batch, height, width, channels)`. Height and width may be `None`.

    Output shape:
        `(batch, ceil(height / strides), ceil(width / strides), filters)`.

    Raises:
        ValueError: If `filters`, `kernel_size`, `strides` or a rate is not a positive
            integer, or `padding` is not one of the two.

    Examples:
        >>> layer = keras_deeplab.layers.AtrousConv(4, rate=2)
        >>> tuple(layer(keras.ops.zeros((1, 33, 33, 8))).shape)
        (1, 33, 33, 4)

    References:
        - [Chen et al., 2017](https://arxiv.org/abs/1606.00915), section 3.1
        - [Chen et al., 2018](https://arxiv.org/abs/1802.02611), section 3.1, for the
          separable form
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        *,
        strides: int = 1,
        rate: Rate = 1,
        separable: bool = False,
        padding: str = "symmetric",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        depthwise_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        filters = arguments.positive(filters=filters)
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            rate=rate,
            padding=padding,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            **kwargs,
        )
        self.filters = filters
        self.separable = separable
        self.depthwise_initializer = keras.initializers.get(depthwise_initializer)
        self.depthwise_conv = self._depthwise_conv() if separable else None

    def _depthwise_conv(self) -> AtrousDepthwiseConv:
        return AtrousDepthwiseConv(
            self.kernel_size,
            strides=self.strides,
            rate=self.rate,
            padding=self.padding,
            use_bias=False,
            kernel_initializer=self.depthwise_initializer,
            dtype=self.dtype_policy,
            name="depthwise",
        )

    def kernel_shape(self, channels: int) -> tuple[int, int, int, int]:
        """`(size, size, channels, filters)`, of size 1 when separable."""
        size = 1 if self.separable else self.kernel_size
        return (size, size, channels, self.filters)

    def build(self, input_shape: Shape) -> None:
        if self.depthwise_conv is not None:
            self.depthwise_conv.build(input_shape)
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        if self.depthwise_conv is None:
            return self.convolve(inputs, self.strides, self.rate)
        return self.convolve(self.depthwise_conv(inputs), strides=1, rate=1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return convolution.output_shape(input_shape, self.strides, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "separable": self.separable,
            "depthwise_initializer": keras.initializers.serialize(
                self.depthwise_initializer
            ),
        }
