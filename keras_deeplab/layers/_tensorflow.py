"""Fused TensorFlow operations that `keras.ops` cannot reach.

The one file below `data`, `training` and `export` that knows TensorFlow; it is
imported only where TensorFlow is the Keras backend. Keras writes an atrous
convolution as space-to-batch, convolution, batch-to-space, which TFLite can fold
back only for batch 1 and leaves with an unfused multiplication otherwise. The
operations here stay one operation for every shape.
"""

import contextlib
import contextvars
import sys
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from keras_deeplab._types import Tensor

# Modules whose presence on the call stack means that this trace becomes TFLite.
_CONVERTERS = frozenset({"tensorflow.lite.python.lite", "keras.src.export.litert"})

_Operation = Callable[[Tensor, Tensor], Tensor]

_forced: contextvars.ContextVar[bool] = contextvars.ContextVar("forced", default=False)


@contextlib.contextmanager
def tracing_for_tflite() -> Iterator[None]:
    """Makes every trace inside the block choose the operations TFLite knows."""
    token = _forced.set(True)
    try:
        yield
    finally:
        _forced.reset(token)


def atrous_conv(
    inputs: Tensor, kernel: Tensor, strides: int, rates: tuple[int, int], padding: str
) -> Tensor:
    """Convolves at a pair of rates, as one `Conv2D` operation.

    Args:
        inputs: `(batch, height, width, channels)`, floating point.
        kernel: `(size, size, channels, filters)`, the dtype of `inputs`.
        strides: Step of the window in both directions.
        rates: Distance between kernel taps down and across, one of them above 1.
        padding: `"same"` in TensorFlow's sense, or `"valid"`.

    Returns:
        `(batch, out_height, out_width, filters)`.
    """

    def fused(x: Tensor, k: Tensor) -> Tensor:
        return tf.nn.conv2d(x, k, strides, padding.upper(), dilations=rates)

    def batched(x: Tensor, k: Tensor) -> Tensor:
        x, explicit = _explicit_padding(x, k, strides, rates, padding)
        return _subsample(
            tf.nn.convolution(x, k, 1, explicit, dilations=rates), strides
        )

    # cuDNN has the dilated gradient; TensorFlow's own CPU kernels refuse it.
    if tf.config.list_logical_devices("GPU"):
        return fused(inputs, kernel)
    # A custom gradient takes tensors, and Keras hands the variable itself over.
    kernel = tf.convert_to_tensor(kernel)
    return _with_gradient_of(batched, fused)(inputs, kernel)


def atrous_depthwise_conv(
    inputs: Tensor, kernel: Tensor, strides: int, rates: tuple[int, int], padding: str
) -> Tensor:
    """Convolves each channel at two rates; one operation where TFLite is the target.

    TensorFlow's native depthwise kernel takes a dilation only with oneDNN on x86,
    and its gradient is then silently wrong, so it is used for TFLite alone.

    Args:
        inputs: `(batch, height, width, channels)`, floating point.
        kernel: `(size, size, channels, 1)`, the dtype of `inputs`.
        strides: Step of the window in both directions.
        rates: Distance between kernel taps down and across, one of them above 1.
        padding: `"same"` in TensorFlow's sense, or `"valid"`.

    Returns:
        `(batch, out_height, out_width, channels)`.
    """
    if _becomes_tflite():
        return tf.raw_ops.DepthwiseConv2dNative(
            input=inputs,
            filter=kernel,
            strides=[1, strides, strides, 1],
            padding=padding.upper(),
            dilations=[1, *rates, 1],
        )
    inputs, padding = _explicit_padding(inputs, kernel, strides, rates, padding)
    outputs = tf.nn.depthwise_conv2d(
        inputs, kernel, [1, 1, 1, 1], padding, dilations=rates
    )
    return _subsample(outputs, strides)


def resize_bilinear(inputs: Tensor, size: Tensor, align_corners: bool) -> Tensor:
    """Resizes as one `ResizeBilinear` operation, always to float32."""
    return tf.raw_ops.ResizeBilinear(
        images=inputs,
        size=tf.cast(tf.stack(size), "int32"),
        align_corners=align_corners,
        half_pixel_centers=not align_corners,
    )


def batch_norm(
    inputs: Tensor, scale: Tensor, offset: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalizes by the statistics of the batch, as one `FusedBatchNormV3` operation.

    Args:
        inputs: `(batch, height, width, channels)`, floating point, at most 32 bits.
        scale: `(channels,)`, float32.
        offset: `(channels,)`, float32.
        epsilon: Added to the variance.

    Returns:
        The outputs, of the inputs' dtype, and each channel's mean and biased variance.
    """
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=tf.convert_to_tensor(scale),
        offset=tf.convert_to_tensor(offset),
        # What is there when the operation is training is not looked at.
        mean=tf.constant([], tf.float32),
        variance=tf.constant([], tf.float32),
        epsilon=epsilon,
        is_training=True,
    )
    # The operation returns the unbiased variance, which of one pixel is no number.
    count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
    return outputs, mean, tf.math.multiply_no_nan(variance, (count - 1) / count)


def batch_norm_by(
    inputs: Tensor,
    scale: Tensor,
    offset: Tensor,
    mean: Tensor,
    variance: Tensor,
    epsilon: float,
) -> Tensor:
    """Normalizes by given statistics, as one `FusedBatchNormV3` operation.

    Args:
        inputs: `(batch, height, width, channels)`, floating point, at most 32 bits.
        scale: `(channels,)`, float32.
        offset: `(channels,)`, float32.
        mean: `(channels,)`, float32.
        variance: `(channels,)`, float32.
        epsilon: Added to the variance.

    Returns:
        The outputs, of the inputs' dtype.
    """
    vectors = {"scale": scale, "offset": offset, "mean": mean, "variance": variance}
    outputs, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        epsilon=epsilon,
        is_training=False,
        **{name: tf.convert_to_tensor(vector) for name, vector in vectors.items()},
    )
    return outputs


def _becomes_tflite() -> bool:
    # Looked up while tracing only, so an eager or compiled step never pays for it.
    if tf.executing_eagerly():
        return False
    if _forced.get():
        return True
    frame = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__") in _CONVERTERS:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _explicit_padding(
    inputs: Tensor, kernel: Tensor, strides: int, rates: tuple[int, int], padding: str
) -> tuple[Tensor, str]:
    # A stride and a rate together: TensorFlow's gradient needs the two apart, and
    # "same" depends on the stride, so it is spelled out before the stride is taken.
    if strides == 1 or padding == "valid":
        return inputs, padding.upper()
    span = [(kernel.shape[0] - 1) * rate + 1 for rate in rates]
    sides = inputs.shape[1:3].as_list()
    size = tf.shape(inputs)[1:3] if None in sides else tf.constant(sides)
    total = tf.maximum((size - 1) // strides * strides + span - size, 0)
    pads = tf.stack([total // 2, total - total // 2], axis=1)
    padded = tf.pad(inputs, tf.pad(pads, [[1, 1], [0, 0]]))
    # Pads that only the running graph knows must not hide the channels.
    padded.set_shape([inputs.shape[0], None, None, inputs.shape[3]])
    return padded, "VALID"


def _subsample(outputs: Tensor, strides: int) -> Tensor:
    return outputs if strides == 1 else outputs[:, ::strides, ::strides]


def _with_gradient_of(reference: _Operation, forward: _Operation) -> _Operation:
    # Both compute the same function; only the reference has a gradient everywhere.
    @tf.custom_gradient
    def operation(x: Tensor, k: Tensor) -> tuple[Tensor, Callable[[Tensor], Any]]:
        def gradient(upstream: Tensor) -> Any:
            with tf.GradientTape() as tape:
                tape.watch([x, k])
                outputs = reference(x, k)
            return tape.gradient(outputs, [x, k], upstream)

        return forward(x, k), gradient

    return operation
