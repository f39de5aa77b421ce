"""A convolution as deployed graphs hold it: batch norm folded into kernel and bias."""

import dataclasses
from typing import Any

import keras
import numpy as np

from keras_deeplab.layers import ConvBlock
from keras_deeplab.layers.base_atrous_conv import BaseAtrousConv

Array = np.ndarray[Any, np.dtype[Any]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvSettings:
    """What a convolution does apart from its weights."""

    strides: int
    rate: int
    depthwise: bool
    activation: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoldedConv:
    """Kernel and bias of one convolution, in TFLite's layout, with its source's names.

    The kernel is `(filters, height, width, channels)`, or `(1, height, width,
    channels)` when depthwise; the bias is `(filters,)`. The settings are `None` where
    the source does not say.
    """

    kernel: Array
    bias: Array
    kernel_name: str
    bias_name: str
    settings: ConvSettings | None = None

    def assign_to(self, layer: keras.layers.Layer) -> None:
        """Sets a layer's weights so that it computes this convolution.

        Args:
            layer: A `ConvBlock` of one convolution, or a convolution with bias.

        Raises:
            ValueError: If a shape differs; the message names the array.
        """
        # (filters, h, w, channels) and (1, h, w, channels) both become Keras' own.
        kernel = np.transpose(self.kernel, (1, 2, 3, 0))
        if not isinstance(layer, ConvBlock):
            _assign(layer.kernel, kernel, self.kernel_name)
            _assign(layer.bias, self.bias, self.bias_name)
            return
        conv, norm = layer.steps[:2]
        _assign(conv.kernel, kernel, self.kernel_name)
        _assign(norm.beta, self.bias, self.bias_name)
        # With mean 0 and variance 1 this scale undoes the epsilon: a pure bias.
        _assign(norm.gamma, np.full_like(self.bias, np.sqrt(1 + norm.epsilon)), "")
        _assign(norm.moving_mean, np.zeros_like(self.bias), "")
        _assign(norm.moving_variance, np.ones_like(self.bias), "")


def folded_slots(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """Layers of a model that a folded convolution fits, by path.

    Args:
        model: A model whose separable blocks, if any, are left out.

    Returns:
        Blocks and bare convolutions by their Keras path.
    """
    layers = model._flatten_layers(include_self=False)
    blocks = [layer for layer in layers if isinstance(layer, ConvBlock)]
    inside = {id(step) for block in blocks for step in block.steps}
    slots = {_parent(block.steps[0].kernel.path): block for block in blocks}
    for layer in layers:
        if isinstance(layer, BaseAtrousConv) and id(layer) not in inside:
            slots[layer.kernel.path.removesuffix("/kernel")] = layer
    return slots


def settings_of(layer: keras.layers.Layer) -> ConvSettings:
    """What a slot of `folded_slots` does apart from its weights."""
    block = isinstance(layer, ConvBlock)
    conv = layer.steps[0] if block else layer
    return ConvSettings(
        strides=conv.strides,
        rate=conv.rate,
        depthwise=conv.depthwise,
        activation=layer.activation.__name__ if block else "linear",
    )


def _parent(kernel_path: str) -> str:
    return kernel_path.rsplit("/", 2)[0]


def _assign(variable: Any, value: Array, name: str) -> None:
    if tuple(variable.shape) != value.shape:
        raise ValueError(
            f"array {name!r} has shape {value.shape} in Keras' layout, where "
            f"{variable.path!r} has {tuple(variable.shape)}"
        )
    variable.assign(value)
