"""What the ordinary and the depthwise atrous convolution share."""

import math
from typing import Any

import keras

from keras_deeplab._types import Rate, Shape, Tensor
from keras_deeplab.layers import arguments, convolution
from keras_deeplab.layers.watch import watched_kernel, watched_map


class BaseAtrousConv(keras.layers.Layer):
    """One kernel, slid over a feature map at a rate and a stride.

    Subclasses say the kernel's shape. Arguments are those of `AtrousConv`.
    """

    depthwise = False

    def __init__(
        self,
        *,
        kernel_size: int,
        strides: int,
        rate: Rate,
        padding: str,
        use_bias: bool,
        kernel_initializer: Any,
        kernel_regularizer: Any,
        **kwargs: Any,
    ) -> None:
        kernel_size = arguments.positive(kernel_size=kernel_size)
        strides = arguments.positive(strides=strides)
        rate = arguments.rate_of(rate=rate)
        arguments.check_choice(convolution.PADDINGS, padding=padding)
        super().__init__(**kwargs)
        self.kernel_size = kernel_size
        self.strides = strides
        self.rate = rate
        self.padding = padding
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def kernel_shape(self, channels: int) -> tuple[int, int, int, int]:
        """Shape of the kernel on a feature map of so many channels."""
        raise NotImplementedError

    def build(self, input_shape: Shape) -> None:
        channels = arguments.channels_of(input_shape)
        # Without it another number of channels would pass for a grouped convolution.
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: channels})
        shape = self.kernel_shape(channels)
        self.kernel = self.add_weight(
            name="kernel",
            shape=shape,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )
        output_shape: Shape = self.compute_output_shape(input_shape)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(output_shape[-1],), initializer="zeros"
            )
        self.multiply_adds: int | None = _multiply_adds(shape, output_shape)

    def convolve(self, inputs: Tensor, strides: int, rate: Rate) -> Tensor:
        """Applies the kernel and the bias."""
        kernel = watched_kernel(self, self.kernel)
        outputs = self.slide(inputs, kernel, strides, rate)
        outputs = outputs if self.bias is None else outputs + self.bias
        return watched_map(self, outputs)

    def slide(self, inputs: Tensor, kernel: Tensor, strides: int, rate: Rate) -> Tensor:
        """Applies a kernel in the place of the layer's own, without bias."""
        return convolution.convolve(
            inputs,
            kernel,
            strides=strides,
            rate=rate,
            padding=self.padding,
            depthwise=self.depthwise,
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "rate": self.rate,
            "padding": self.padding,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


def _multiply_adds(kernel_shape: tuple[int, ...], output_shape: Shape) -> int | None:
    # Every kernel element meets every output position once; a bias costs no product.
    _, height, width, _ = output_shape
    if height is None or width is None:
        return None
    return math.prod(kernel_shape) * height * width
