"""The bottleneck that MobileNetV2 and V3 are made of."""

import dataclasses

import keras

from keras_deeplab._types import Tensor
from keras_deeplab.layers import ConvBlock, SqueezeExcite, Sum


@dataclasses.dataclass(frozen=True, kw_only=True)
class InvertedResidual:
    """Expand by a factor, convolve each channel, project; a row of a MobileNet."""

    filters: int
    expansion: float = 6.0
    kernel_size: int = 3
    stride: int = 1
    squeeze_excite: bool = False
    activation: str = "relu6"


def make_divisible(value: float, divisor: int, minimum: int | None = None) -> int:
    """Rounds channels to a multiple, never down by more than a tenth."""
    rounded = max(minimum or divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def mobile_conv(
    x: Tensor,
    filters: int | None,
    kernel_size: int,
    name: str,
    *,
    activation: str | None,
    momentum: float,
    stride: int = 1,
    rate: int = 1,
) -> Tensor:
    """A convolution block as the MobileNets have it: TensorFlow's padding."""
    block = ConvBlock(
        filters,
        kernel_size,
        strides=stride,
        rate=rate,
        padding="same",
        epsilon=1e-3,
        momentum=momentum,
        activation=activation,
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.09),
        depthwise_initializer=keras.initializers.TruncatedNormal(stddev=0.09),
        name=name,
    )
    return block(x)


def inverted_residual(
    x: Tensor,
    row: InvertedResidual,
    filters: int,
    name: str,
    *,
    stride: int,
    rate: int,
    momentum: float,
) -> tuple[Tensor, Tensor]:
    """Builds one bottleneck.

    Args:
        x: `(batch, height, width, channels)`.
        row: What the bottleneck is.
        filters: Output channels, after the network's width multiplier.
        name: Prefix of the layers' names.
        stride: Stride of the depthwise convolution.
        rate: Rate of the depthwise convolution.
        momentum: Of the batch norms.

    Returns:
        The output, and the depthwise convolution's output, which decoders read.
    """
    expanded = make_divisible(x.shape[-1] * row.expansion, 8)
    y = x
    if row.expansion > 1:
        y = mobile_conv(
            y,
            expanded,
            1,
            f"{name}_expand",
            activation=row.activation,
            momentum=momentum,
        )
    y = depthwise = mobile_conv(
        y,
        None,
        row.kernel_size,
        f"{name}_depthwise",
        activation=row.activation,
        momentum=momentum,
        stride=stride,
        rate=rate,
    )
    if row.squeeze_excite:
        squeezed = make_divisible(y.shape[-1] / 4, 8)
        y = SqueezeExcite(squeezed, name=f"{name}_squeeze_excite")(y)
    y = mobile_conv(
        y, filters, 1, f"{name}_project", activation=None, momentum=momentum
    )
    # A strided row has no shortcut, also where it gave its stride up for a rate.
    if row.stride == 1 and y.shape[-1] == x.shape[-1]:
        y = Sum(name=f"{name}_add")([x, y])
    return y, depthwise
