"""Pyramids that add their image-level branch instead of concatenating it.

Where the window of image pooling covers the map, the branch says the same everywhere.
The pyramid spreads it over the map and projects it again at each place; projected once
and added, it gives the same for half of the multiply-adds of a pyramid without rates.
"""

from typing import Any

import keras
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Shape, Tensor
from keras_deeplab.layers import ASPP, ImagePooling


def with_split_pyramids(network: keras.Model) -> keras.Model:
    """Returns a network that computes the same with less, up to rounding.

    Args:
        network: A functional model of fixed size; it is left as it is.

    Returns:
        A new model for inference, of the same weights in the same order.
    """
    split = keras.models.clone_model(network, clone_function=_clone)
    split.set_weights(network.get_weights())
    return split


@register
class _SplitPyramid(keras.layers.Layer):
    def __init__(self, pyramid: ASPP) -> None:
        super().__init__(dtype=pyramid.dtype_policy, name=pyramid.name)
        self.pyramid = pyramid

    def build(self, input_shape: Shape) -> None:
        self.pyramid.build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        (pooling,), *others = self.pyramid.branches
        outputs = [branch(inputs, training=False) for (branch,) in others]
        merged = outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, axis=-1)
        conv, norm, activation = self.pyramid.projection.steps
        factor = norm.gamma * ops.rsqrt(norm.moving_variance + norm.epsilon)
        # The batch norm goes into the kernels: it folds into no sum of convolutions.
        kernels = ops.split(conv.kernel * factor, [pooling.filters], axis=2)
        scene = _project(pooling.scene(inputs, training=False), kernels[0])
        scene = scene + (norm.beta - norm.moving_mean * factor)
        return activation(_project(merged, kernels[1]) + scene)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.pyramid.compute_output_shape(input_shape)


def _clone(layer: keras.layers.Layer) -> keras.layers.Layer:
    copy = type(layer).from_config(layer.get_config())
    return _SplitPyramid(copy) if _can_be_split(layer) else copy


def _can_be_split(layer: Any) -> bool:
    if not isinstance(layer, ASPP) or layer.compute_dtype != "float32":
        return False
    first = layer.branches[0][0]
    return isinstance(first, ImagePooling) and first.scene_sides(layer.input.shape) == (
        1,
        1,
    )


def _project(inputs: Tensor, kernel: Tensor) -> Tensor:
    return ops.conv(inputs, kernel, padding="valid", data_format="channels_last")
