"""Atrous convolution as a function: the padding rule and the choice of operation."""

import keras
from keras import ops

from keras_deeplab._types import Shape, Tensor

PADDINGS = ("symmetric", "same")


def convolve(
    inputs: Tensor,
    kernel: Tensor,
    *,
    strides: int,
    rate: int,
    padding: str,
    depthwise: bool = False,
) -> Tensor:
    """Convolves a feature map at a rate and a stride.

    Args:
        inputs: `(batch, height, width, channels)`, floating point.
        kernel: `(size, size, channels, filters)`, or `(size, size, channels, 1)` when
            `depthwise`.
        strides: Step of the window in both directions, at least 1.
        rate: Distance between kernel taps, at least 1.
        padding: `"symmetric"` or `"same"`; see `AtrousConv`.
        depthwise: Whether every channel is convolved by itself.

    Returns:
        `(batch, ceil(height / strides), ceil(width / strides), filters or channels)`.
    """
    kernel = ops.convert_to_tensor(kernel)
    span = (kernel.shape[0] - 1) * rate + 1
    if (
        padding == "symmetric"
        and strides > 1
        and not _same_is_symmetric(inputs.shape, strides)
    ):
        before = (span - 1) // 2
        pads = (before, span - 1 - before)
        inputs = ops.pad(inputs, ((0, 0), pads, pads, (0, 0)))
        padding = "valid"
    elif padding == "symmetric":
        padding = "same"
    return _operation(depthwise, rate)(inputs, kernel, strides, rate, padding)


def output_shape(input_shape: Shape, strides: int, channels: int | None) -> Shape:
    """Shape after a convolution by either padding rule."""
    batch, height, width, _ = input_shape
    return (
        batch,
        _ceil_divide(height, strides),
        _ceil_divide(width, strides),
        channels,
    )


def _operation(depthwise: bool, rate: int):  # type: ignore[no-untyped-def]
    if rate > 1 and keras.backend.backend() == "tensorflow":
        from keras_deeplab.layers import _tensorflow

        return (
            _tensorflow.atrous_depthwise_conv if depthwise else _tensorflow.atrous_conv
        )
    return _depthwise_conv if depthwise else _conv


def _conv(
    inputs: Tensor, kernel: Tensor, strides: int, rate: int, padding: str
) -> Tensor:
    return ops.conv(inputs, kernel, strides, padding, "channels_last", rate)


def _depthwise_conv(
    inputs: Tensor, kernel: Tensor, strides: int, rate: int, padding: str
) -> Tensor:
    return ops.depthwise_conv(inputs, kernel, strides, padding, "channels_last", rate)


def _same_is_symmetric(shape: Shape, strides: int) -> bool:
    # TensorFlow's "same" pads both sides alike exactly where the last window is
    # centred on the last pixel. Then the padding fuses into the convolution.
    return all(side is not None and (side - 1) % strides == 0 for side in shape[1:3])


def _ceil_divide(side: int | None, strides: int) -> int | None:
    return None if side is None else -(-side // strides)
