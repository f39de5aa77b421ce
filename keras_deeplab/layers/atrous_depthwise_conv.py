"""A depthwise convolution with holes between its taps."""

from typing import Any

from keras_deeplab._serialization import register
from keras_deeplab._types import Rate, Shape, Tensor
from keras_deeplab.layers import convolution
from keras_deeplab.layers.base_atrous_conv import BaseAtrousConv
from keras_deeplab.layers.batch_normalization import BatchNormalization


@register
class AtrousDepthwiseConv(BaseAtrousConv):
    """Convolves every channel by itself, at a rate.

    The first half of a depthwise-separable convolution; `AtrousConv` with
    `separable=True` is both halves. Padding is that of `AtrousConv`.

    Args:
        kernel_size: Taps along each side.
        strides: Step of the window in both directions.
        rate: Distance between taps; 1 is an ordinary convolution. Two integers for
            different distances down and across.
        padding: `"symmetric"` or `"same"`.
        use_bias: Whether to add one bias a channel.
        kernel_initializer: Initializer of the kernel.
        kernel_regularizer: Regularizer of the kernel, or `None`.
        **kwargs: Passed to `keras.layers.Layer`, for example `name`, `dtype`.

    Call arguments:
        inputs: Feature map, see the input shape.
        norm: A batch norm that infers behind the convolution, to merge with its kernel:
            the same outputs up to rounding. `None` for none.

    Input shape:
        `(batch, height, width, channels)`. Height and width may be `None`.

    Output shape:
        `(batch, ceil(height / strides), ceil(width / strides), channels)`.

    Raises:
        ValueError: If `kernel_size`, `strides` or a rate is not a positive integer,
            or `padding` is not one of the two.

    Examples:
        >>> layer = keras_deeplab.layers.AtrousDepthwiseConv(rate=12)
        >>> tuple(layer(keras.ops.zeros((1, 33, 33, 8))).shape)
        (1, 33, 33, 8)

    References:
        - [Chen et al., 2018](https://arxiv.org/abs/1802.02611), section 3.1
    """

    depthwise = True

    def __init__(
        self,
        kernel_size: int = 3,
        *,
        strides: int = 1,
        rate: Rate = 1,
        padding: str = "symmetric",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
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

    def kernel_shape(self, channels: int) -> tuple[int, int, int, int]:
        """One kernel a channel: `(size, size, channels, 1)`."""
        return (self.kernel_size, self.kernel_size, channels, 1)

    def call(self, inputs: Tensor, norm: BatchNormalization | None = None) -> Tensor:
        if norm is None:
            return self.convolve(inputs, self.strides, self.rate)
        scale, offset = norm.scale_and_offset()
        if self.bias is not None:
            offset = offset + self.bias * scale
        kernel = self.kernel * scale[:, None]
        return self.slide(inputs, kernel, self.strides, self.rate) + offset

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return convolution.output_shape(input_shape, self.strides, input_shape[-1])
