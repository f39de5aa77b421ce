"""Convolution, batch norm, activation: written once for the whole package."""

from typing import Any

import keras

from keras_deeplab._serialization import register
from keras_deeplab._types import Rate, Shape, Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.layers.atrous_conv import AtrousConv
from keras_deeplab.layers.atrous_depthwise_conv import AtrousDepthwiseConv
from keras_deeplab.layers.base_atrous_conv import BaseAtrousConv
from keras_deeplab.layers.batch_normalization import BatchNormalization
from keras_deeplab.layers.watch import is_watched, watched_map


@register
class ConvBlock(keras.layers.Layer):
    """Convolution → batch norm → activation, ordinary, separable or depthwise.

    A separable block normalises twice, after the depthwise and after the `1 x 1`
    convolution, as the official code does; whether an activation stands between the
    two differs by network, so it is an argument.

    Args:
        filters: Output channels. `None` for the depthwise half alone.
        kernel_size: Taps along each side.
        strides: Step of the window in both directions.
        rate: Distance between taps; two integers for down and across.
        separable: Whether to factor into a depthwise and a `1 x 1` convolution.
        padding: `"symmetric"` or `"same"`; see `AtrousConv`.
        batch_norm: Whether to normalise. Without it the convolutions have a bias.
        epsilon: Added to the variance by the batch norm.
        momentum: Share of the old moving statistics kept at each training step.
        activation: Last step, a Keras activation or its name; `None` for none.
        depthwise_activation: Activation between the two halves of a separable block.
        kernel_initializer: Initializer of the convolution's kernel.
        depthwise_initializer: Initializer of the depthwise kernel.
        **kwargs: Passed to `keras.layers.Layer`, for example `name`, `dtype`.

    Call arguments:
        inputs: Feature map, see the input shape.
        training: Whether the batch norm uses the batch's own statistics.

    Input shape:
        `(batch, height, width, channels)`. Height and width may be `None`.

    Output shape:
        `(batch, ceil(height / strides), ceil(width / strides), filters)`, with the
        input's channels when `filters` is `None`.

    Raises:
        ValueError: If a number is not positive or `padding` is unknown.

    Examples:
        >>> block = keras_deeplab.layers.ConvBlock(16, rate=6, separable=True)
        >>> tuple(block(keras.ops.zeros((1, 33, 33, 8))).shape)
        (1, 33, 33, 16)
    """

    def __init__(
        self,
        filters: int | None,
        kernel_size: int = 3,
        *,
        strides: int = 1,
        rate: Rate = 1,
        separable: bool = False,
        padding: str = "symmetric",
        batch_norm: bool = True,
        epsilon: float = 1e-5,
        momentum: float = 0.9997,
        activation: Any = "relu",
        depthwise_activation: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        depthwise_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        if filters is not None:
            filters = arguments.positive(filters=filters)
        kernel_size = arguments.positive(kernel_size=kernel_size)
        strides = arguments.positive(strides=strides)
        rate = arguments.rate_of(rate=rate)
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.rate = rate
        self.separable = separable
        self.padding = padding
        self.batch_norm = batch_norm
        self.epsilon = epsilon
        self.momentum = momentum
        self.activation = keras.activations.get(activation)
        self.depthwise_activation = keras.activations.get(depthwise_activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.depthwise_initializer = keras.initializers.get(depthwise_initializer)
        self.steps = self._make_steps()

    def _make_steps(self) -> list[keras.layers.Layer]:
        depthwise = self.separable or self.filters is None
        steps: list[keras.layers.Layer] = []
        if depthwise:
            last = self.activation if self.filters is None else None
            steps += self._stage(
                "depthwise", self._depthwise(), last or self.depthwise_activation
            )
        if self.filters is not None:
            name = "pointwise" if self.separable else "conv"
            steps += self._stage(name, self._conv(name, self.filters), self.activation)
        return steps

    def _stage(
        self, name: str, conv: keras.layers.Layer, activation: Any
    ) -> list[keras.layers.Layer]:
        stage = [conv]
        if self.batch_norm:
            stage.append(
                BatchNormalization(
                    momentum=self.momentum,
                    epsilon=self.epsilon,
                    dtype=self.dtype_policy,
                    name=f"{name}_batch_norm",
                )
            )
        if activation is not None and activation is not keras.activations.linear:
            stage.append(
                keras.layers.Activation(
                    activation, dtype=self.dtype_policy, name=f"{name}_activation"
                )
            )
        return stage

    def _depthwise(self) -> AtrousDepthwiseConv:
        return AtrousDepthwiseConv(
            self.kernel_size,
            strides=self.strides,
            rate=self.rate,
            padding=self.padding,
            use_bias=not self.batch_norm,
            kernel_initializer=self.depthwise_initializer,
            dtype=self.dtype_policy,
            name="depthwise",
        )

    def _conv(self, name: str, filters: int) -> AtrousConv:
        # After a depthwise half, the window has already moved: 1 x 1, in place.
        return AtrousConv(
            filters,
            1 if self.separable else self.kernel_size,
            strides=1 if self.separable else self.strides,
            rate=1 if self.separable else self.rate,
            padding=self.padding,
            use_bias=not self.batch_norm,
            kernel_initializer=self.kernel_initializer,
            dtype=self.dtype_policy,
            name=name,
        )

    def build(self, input_shape: Shape) -> None:
        for step in self.steps:
            step.build(input_shape)
            input_shape = step.compute_output_shape(input_shape)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        outputs, steps = inputs, self.steps
        if self._merges(training):
            depthwise, norm, *steps = steps
            outputs = depthwise(outputs, norm=norm)
        for step in steps:
            if isinstance(step, BatchNormalization):
                outputs = step(outputs, training=training)
            else:
                outputs = step(outputs)
            if not isinstance(step, BaseAtrousConv):
                outputs = watched_map(step, outputs)
        return outputs

    def _merges(self, training: bool | None) -> bool:
        """Whether the first batch norm becomes part of a depthwise kernel.

        At inference TensorFlow merges a batch norm with an ordinary convolution by
        itself, but with a depthwise one only a bias, and then the activation too.
        """
        return (
            self.batch_norm
            and isinstance(self.steps[0], AtrousDepthwiseConv)
            and not (training and self.steps[1].trainable)
            # Rounded to half precision, a merged kernel would not be the same.
            and self.compute_dtype in ("float32", "float64")
            and not is_watched()
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        for step in self.steps:
            input_shape = step.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "rate": self.rate,
            "separable": self.separable,
            "padding": self.padding,
            "batch_norm": self.batch_norm,
            "epsilon": self.epsilon,
            "momentum": self.momentum,
            "activation": keras.activations.serialize(self.activation),
            "depthwise_activation": keras.activations.serialize(
                self.depthwise_activation
            ),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "depthwise_initializer": keras.initializers.serialize(
                self.depthwise_initializer
            ),
        }


def separable_initializers() -> dict[str, Any]:
    """Initializers of separable blocks in the pyramid and the decoder, as published."""
    return {
        "kernel_initializer": keras.initializers.TruncatedNormal(stddev=0.06),
        "depthwise_initializer": keras.initializers.TruncatedNormal(stddev=0.33),
    }
