"""The image-level branch: what the scene looks like as a whole."""

from typing import Any

import keras
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Shape, Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.layers.conv_block import ConvBlock
from keras_deeplab.layers.resize import Resize


@register
class ImagePooling(keras.layers.Layer):
    """Average-pools the scene, projects it, and spreads it over the map again.

    A global mean sees more of the scene at a larger input than it did in training,
    which costs accuracy. The official models therefore pool over the *training crop's*
    window, sliding it where the map is larger; where the map is smaller, the window
    shrinks to it. `window=None` is the global mean.

    Args:
        filters: Output channels.
        window: Height and width of the pooling window in features, or one integer:
            `(crop - 1) / output_stride + 1`, that is 33 for a crop of 513 at 16.
            `None` pools the whole map.
        strides: Steps of the window in height and width.
        batch_norm: Whether to normalise after the projection.
        epsilon: Added to the variance by the batch norm.
        momentum: Share of the old moving statistics kept at each training step.
        activation: Activation after the projection, a Keras activation or its name.
        **kwargs: Passed to `keras.layers.Layer`, for example `name`, `dtype`.

    Call arguments:
        inputs: Feature map, see the input shape.
        training: Whether the batch norm uses the batch's own statistics.

    Input shape:
        `(batch, height, width, channels)`. Height and width may be `None`.

    Output shape:
        `(batch, height, width, filters)`.

    Raises:
        ValueError: If `filters`, `window` or `strides` is not positive.

    Examples:
        >>> layer = keras_deeplab.layers.ImagePooling(4, window=33)
        >>> tuple(layer(keras.ops.zeros((1, 65, 65, 8))).shape)
        (1, 65, 65, 4)

    References:
        - [Chen et al., 2017](https://arxiv.org/abs/1706.05587), section 3.3
        - [Howard et al., 2019](https://arxiv.org/abs/1905.02244), section 6.4, for
          the strided window
    """

    def __init__(
        self,
        filters: int,
        *,
        window: int | tuple[int, int] | None = None,
        strides: int | tuple[int, int] = 1,
        batch_norm: bool = True,
        epsilon: float = 1e-5,
        momentum: float = 0.9997,
        activation: Any = "relu",
        **kwargs: Any,
    ) -> None:
        filters = arguments.positive(filters=filters)
        window_size = arguments.size_of(window=window)
        steps = arguments.size_of(strides=strides) or (1, 1)
        super().__init__(**kwargs)
        self.filters = filters
        self.window = window_size
        self.strides = steps
        self.batch_norm = batch_norm
        self.epsilon = epsilon
        self.momentum = momentum
        self.activation = keras.activations.get(activation)
        self.projection = ConvBlock(
            filters,
            1,
            batch_norm=batch_norm,
            epsilon=epsilon,
            momentum=momentum,
            activation=self.activation,
            dtype=self.dtype_policy,
            name="projection",
        )
        self.resize = Resize(dtype=self.dtype_policy, name="resize")

    def build(self, input_shape: Shape) -> None:
        batch, channels = input_shape[0], input_shape[-1]
        self.projection.build((batch, *self.scene_sides(input_shape), channels))
        self.resize.build(input_shape, input_shape)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self.resize(self.scene(inputs, training=training), like=inputs)

    def scene(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Pools and projects; the call spreads the result over the map.

        Args:
            inputs: Feature map.
            training: As in the call.

        Returns:
            `(batch, *self.scene_sides(inputs.shape), filters)`.
        """
        return self.projection(self._pool(inputs), training=training)

    def _pool(self, inputs: Tensor) -> Tensor:
        if self.window is None:
            return ops.mean(inputs, axis=(1, 2), keepdims=True)
        sides = inputs.shape[1:3]
        if None not in sides:
            window = tuple(map(min, self.window, sides))
            return _average_pool(inputs, window, self.strides)
        return self._pool_unknown_size(inputs, self.window)

    def _pool_unknown_size(self, inputs: Tensor, size: tuple[int, int]) -> Tensor:
        # A window's size must be a constant. Where the map turns out smaller, zeros
        # fill the window up, and the mean is taken over the real features again.
        sides = ops.shape(inputs)[1:3]
        missing = [
            ops.maximum(window - side, 0)
            for window, side in zip(size, sides, strict=True)
        ]
        filled = ops.pad(inputs, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)))
        pooled = _average_pool(filled, size, self.strides)
        # TFLite no longer knows the channels of what was filled up.
        pooled = ops.reshape(pooled, (*ops.shape(pooled)[:3], inputs.shape[-1]))
        share = 1.0
        for window, gap in zip(size, missing, strict=True):
            share = share * ops.cast(window - gap, pooled.dtype) / window
        return pooled / share

    def scene_sides(self, input_shape: Shape) -> tuple[int | None, ...]:
        """How often the window fits in height and width; 1 if it covers the map."""
        if self.window is None:
            return (1, 1)
        return tuple(
            None if side is None else (side - min(window, side)) // stride + 1
            for side, window, stride in zip(
                input_shape[1:3], self.window, self.strides, strict=True
            )
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "window": self.window,
            "strides": self.strides,
            "batch_norm": self.batch_norm,
            "epsilon": self.epsilon,
            "momentum": self.momentum,
            "activation": keras.activations.serialize(self.activation),
        }


def _average_pool(
    inputs: Tensor, window: tuple[int, ...], strides: tuple[int, int]
) -> Tensor:
    # In float32: a sum over a large window leaves the range of half precision.
    features = ops.cast(inputs, "float32")
    pooled = ops.average_pool(features, window, strides, "valid", "channels_last")
    return ops.cast(pooled, inputs.dtype)
