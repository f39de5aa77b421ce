"""Gives the channels of a network like ranges, so that 8 bits tell all of them apart.

8-bit activations have one scale for all channels. Where a channel is small and the
depthwise convolution behind it has large weights to make up for it, nearly nothing of
the channel survives the rounding, and the weights blow up what is lost: the first block
of MobileNetV2 is so. Multiplied by a factor, and the weights divided by it, the channel
fills its range, and the network computes what it did.
(Nagel et al., 2019, https://arxiv.org/abs/1906.04721, section 4.1, for weights.)
"""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_deeplab.layers import ConvBlock
from keras_deeplab.models import Segmenter

# A channel that the photos hardly stirred may be stirred by others.
_LARGEST_FACTOR = 32.0


@dataclasses.dataclass(frozen=True)
class _Pair:
    """A block, and the depthwise convolution that alone reads it."""

    block: ConvBlock
    reader: ConvBlock


def equalized(model: Segmenter, images: Iterable[np.ndarray[Any, Any]]) -> Segmenter:
    """Returns a model that answers the same, with channels of like ranges.

    A block is scaled where a depthwise convolution alone reads it and its activation
    is ReLU or ReLU6, which keep a factor. Above what the images show, ReLU6 cuts off
    earlier than it did.

    Args:
        model: The model, of fixed size.
        images: Its input, `(1, height, width, 3)` each.

    Returns:
        A new model, or the same if it has no such block.
    """
    if not list(_pairs(model)):
        return model
    scaled = type(model).from_config(model.get_config())
    scaled.set_weights(model.get_weights())
    pairs = list(_pairs(scaled))
    for pair, largest in zip(pairs, _largest(scaled, pairs, images), strict=True):
        _scale(pair, _factors(largest, pair.block.activation))
    return scaled


def _pairs(model: Segmenter) -> Iterator[_Pair]:
    layers = [layer for layer in model.layers if hasattr(layer, "input")]
    makers = {id(layer.output): layer for layer in layers}
    reads = [id(tensor) for layer in layers for tensor in _inputs(layer)]
    for layer in layers:
        if not isinstance(layer, ConvBlock) or not _begins_depthwise(layer):
            continue
        block = makers.get(id(layer.input))
        alone = reads.count(id(layer.input)) == 1
        if isinstance(block, ConvBlock) and _keeps_factors(block) and alone:
            yield _Pair(block, layer)


def _inputs(layer: keras.layers.Layer) -> list[Any]:
    inputs = layer.input
    return list(inputs) if isinstance(inputs, list | tuple) else [inputs]


def _keeps_factors(block: ConvBlock) -> bool:
    relu = (keras.activations.relu, keras.activations.relu6)
    return block.batch_norm and block.activation in relu


def _begins_depthwise(layer: ConvBlock) -> bool:
    return layer.filters is None or layer.separable


def _largest(
    model: Segmenter, pairs: list[_Pair], images: Iterable[np.ndarray[Any, Any]]
) -> list[np.ndarray[Any, Any]]:
    """The largest value of each channel of each block."""
    outputs = [ops.max(pair.block.output, axis=(0, 1, 2)) for pair in pairs]
    watch = keras.Model(model.inputs, outputs)
    seen = [
        [ops.convert_to_numpy(found) for found in watch(image, training=False)]
        for image in images
    ]
    return [np.max(of_block, axis=0) for of_block in zip(*seen, strict=True)]


def _factors(largest: np.ndarray[Any, Any], activation: Any) -> np.ndarray[Any, Any]:
    top = 6.0 if activation is keras.activations.relu6 else largest.max()
    factors = np.divide(top, largest, out=np.ones_like(largest), where=largest > 0)
    return np.clip(factors, 1.0, _LARGEST_FACTOR)


def _scale(pair: _Pair, factors: np.ndarray[Any, Any]) -> None:
    norm = pair.block.steps[-2]
    norm.gamma.assign(norm.gamma * factors)
    norm.beta.assign(norm.beta * factors)
    kernel = pair.reader.steps[0].kernel
    kernel.assign(kernel / factors[None, None, :, None])
