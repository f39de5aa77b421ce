"""Batch norm that TensorFlow runs as one operation."""

from typing import Any

import keras

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import arguments

_FUSED_DTYPES = ("float16", "bfloat16", "float32")


# Keras derives the names in weights files from that of the class: it stays Keras's own.
@register
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, as one operation where it can be.

    Keras 3 writes the training step of a batch norm as a dozen elementwise operations
    that each pass through the whole feature map; in a small network they take as long
    as its convolutions. TensorFlow has them as one, `FusedBatchNormV3`, and merges that
    of inference with the convolution before and the activation behind, unless that is a
    depthwise one: there `ConvBlock` makes it part of the kernel. The results, gradients
    and moving statistics are those of Keras, up to rounding; other backends and
    synchronized statistics are Keras's own.

    Args:
        momentum: Share of the old moving statistics kept at each training step.
        epsilon: Added to the variance.
        **kwargs: Further arguments of `keras.layers.BatchNormalization`.

    Input shape:
        Any. The fused operation takes `(batch, height, width, channels)`.

    Output shape:
        That of the input.

    Examples:
        >>> layer = keras_deeplab.layers.BatchNormalization(epsilon=1e-5)
        >>> tuple(layer(keras.ops.zeros((2, 9, 9, 4)), training=True).shape)
        (2, 9, 9, 4)

    References:
        - [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167)
    """

    def __init__(
        self, *, momentum: float = 0.99, epsilon: float = 1e-3, **kwargs: Any
    ) -> None:
        super().__init__(
            momentum=arguments.within(0, 1, momentum=momentum),
            epsilon=arguments.not_negative(epsilon=epsilon),
            **kwargs,
        )

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Any = None
    ) -> Tensor:
        if mask is None and self._can_be_fused(inputs):
            if not (training and self.trainable):
                return self._infer_fused(inputs)
            if not self.synchronized:
                return self._train_fused(inputs)
        return super().call(inputs, training=training, mask=mask)

    def scale_and_offset(self) -> tuple[Tensor, Tensor]:
        """What inference multiplies each channel by, and then adds to it."""
        scale = keras.ops.rsqrt(self.moving_variance + self.epsilon)
        scale = scale * self.gamma if self.scale else scale
        offset = -self.moving_mean * scale
        return scale, self.beta + offset if self.center else offset

    def _can_be_fused(self, inputs: Tensor) -> bool:
        return (
            keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and self.scale
            and self.center
            and not getattr(self, "renorm", False)
            and keras.backend.standardize_dtype(inputs.dtype) in _FUSED_DTYPES
            and self.variable_dtype == "float32"
        )

    def _infer_fused(self, inputs: Tensor) -> Tensor:
        from keras_deeplab.layers import _tensorflow

        statistics = self.moving_mean, self.moving_variance
        outputs = _tensorflow.batch_norm_by(
            inputs, self.gamma, self.beta, *statistics, self.epsilon
        )
        return keras.ops.cast(outputs, self.compute_dtype)

    def _train_fused(self, inputs: Tensor) -> Tensor:
        from keras_deeplab.layers import _tensorflow

        outputs, mean, variance = _tensorflow.batch_norm(
            inputs, self.gamma, self.beta, self.epsilon
        )
        for moving, new in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            moving.assign(moving * self.momentum + new * (1.0 - self.momentum))
        return keras.ops.cast(outputs, self.compute_dtype)
