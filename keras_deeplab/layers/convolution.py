"""Atrous convolution as a function: the padding rule and the choice of operation."""

from collections.abc import Callable

import keras
from keras import ops

from keras_deeplab._types import Rate, Shape, Tensor

PADDINGS = ("symmetric", "same")


def convolve(
    inputs: Tensor,
    kernel: Tensor,
    *,
    strides: int,
    rate: Rate,
    padding: str,
    depthwise: bool = False,
) -> Tensor:
    """Convolves a feature map at a rate and a stride.

    Args:
        inputs: `(batch, height, width, channels)`, floating point.
        kernel: `(size, size, channels, filters)`, or `(size, size, channels, 1)` when
            `depthwise`.
        strides: Step of the window in both directions, at least 1.
        rate: Distance between kernel taps, at least 1; two for height and width.
        padding: `"symmetric"` or `"same"`; see `AtrousConv`.
        depthwise: Whether every channel is convolved by itself.

    Returns:
        `(batch, ceil(height / strides), ceil(width / strides), filters or channels)`.
    """
    kernel = ops.convert_to_tensor(kernel)
    rates = (rate, rate) if isinstance(rate, int) else rate
    if (
        padding == "symmetric"
        and strides > 1
        and not _same_is_symmetric(inputs.shape, strides)
    ):
        pads = [_halves((kernel.shape[0] - 1) * rate) for rate in rates]
        inputs = ops.pad(inputs, ((0, 0), *pads, (0, 0)))
        padding = "valid"
    elif padding == "symmetric":
        padding = "same"
    return _operation(depthwise, rates)(inputs, kernel, strides, rates, padding)


def output_shape(input_shape: Shape, strides: int, channels: int | None) -> Shape:
    """Shape after a convolution by either padding rule."""
    batch, height, width, _ = input_shape
    return (
        batch,
        _ceil_divide(height, strides),
        _ceil_divide(width, strides),
        channels,
    )


def _operation(depthwise: bool, rates: tuple[int, int]) -> Callable[..., Tensor]:
    if max(rates) > 1 and keras.backend.backend() == "tensorflow":
        from keras_deeplab.layers import _tensorflow

        return (
            _tensorflow.atrous_depthwise_conv if depthwise else _tensorflow.atrous_conv
        )
    return _depthwise_conv if depthwise else _conv


def _conv(
    inputs: Tensor, kernel: Tensor, strides: int, rates: tuple[int, int], padding: str
) -> Tensor:
    return ops.conv(inputs, kernel, strides, padding, "channels_last", rates)


def _depthwise_conv(
    inputs: Tensor, kernel: Tensor, strides: int, rates: tuple[int, int], padding: str
) -> Tensor:
    return ops.depthwise_conv(inputs, kernel, strides, padding, "channels_last", rates)


def _halves(total: int) -> tuple[int, int]:
    return total // 2, total - total // 2


def _same_is_symmetric(shape: Shape, strides: int) -> bool:
    # TensorFlow's "same" pads both sides alike exactly where the last window is
    # centred on the last pixel. Then the padding fuses into the convolution.
    return all(side is not None and (side - 1) % strides == 0 for side in shape[1:3])


def _ceil_divide(side: int | None, strides: int) -> int | None:
    return None if side is None else -(-side // strides)
