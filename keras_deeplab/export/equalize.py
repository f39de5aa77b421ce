"""Gives the channels of a network like ranges, so that 8 bits tell all of them apart.

8-bit activations have one scale for all channels, and of a channel that stays small
next to others little survives the rounding. Multiplied by a factor, with the weights
that read it divided by the same, it fills the range, and the network computes what it
did. This is done to the bottlenecks of MobileNetV2, which no activation bounds.
(Nagel et al., 2019, https://arxiv.org/abs/1906.04721, section 4.1, there by the ranges
of weights.)
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers import ConvBlock
from keras_deeplab.layers.watch import watched_by
from keras_deeplab.models import Segmenter

Array = np.ndarray[Any, Any]

# A channel that the photos hardly stirred may be stirred by others.
_LARGEST_FACTOR = 16.0


@dataclasses.dataclass
class _Group:
    """Feature maps that share their factors: those of blocks, and their sums."""

    makers: list[ConvBlock] = dataclasses.field(default_factory=list)
    readers: list[keras.layers.Layer] = dataclasses.field(default_factory=list)
    sums: list[keras.layers.Layer] = dataclasses.field(default_factory=list)

    @property
    def can_be_scaled(self) -> bool:
        """Whether all that makes and reads it can take a factor."""
        made = all(_is_linear(block) for block in self.makers)
        read = all(isinstance(layer, ConvBlock) for layer in self.readers)
        return bool(self.makers and self.readers) and made and read

    @property
    def last_layers(self) -> list[keras.layers.Layer]:
        """The layers whose outputs the feature maps are."""
        return [*(block.steps[-1] for block in self.makers), *self.sums]


def equalized(model: Segmenter, images: Iterable[Array]) -> Segmenter:
    """Returns a model that answers the same, with channels of like ranges.

    Scaled are the outputs of blocks without an activation, and their sums, where
    nothing but other blocks reads them.

    Args:
        model: The model, of fixed size.
        images: Its input, `(1, height, width, 3)` each.

    Returns:
        A new model.
    """
    scaled = model.with_arguments()
    groups = [group for group in _groups(scaled) if group.can_be_scaled]
    for group, largest in zip(groups, _largest(scaled, groups, images), strict=True):
        _scale(group, _factors(largest))
    return scaled


def _groups(model: Segmenter) -> Iterator[_Group]:
    layers = [layer for layer in model.layers if hasattr(layer, "input")]
    group_of: dict[int, _Group] = {}
    for layer in layers:
        inputs = _inputs(layer)
        if isinstance(layer, keras.layers.Add):
            group = _merged(group_of, [id(tensor) for tensor in inputs])
            group.sums.append(layer)
        else:
            for tensor in inputs:
                if id(tensor) in group_of:
                    group_of[id(tensor)].readers.append(layer)
            group = _Group()
            if isinstance(layer, ConvBlock):
                group.makers.append(layer)
        group_of[id(layer.output)] = group
    yield from {id(group): group for group in group_of.values()}.values()


def _merged(group_of: dict[int, _Group], tensors: Sequence[int]) -> _Group:
    whole = _Group()
    parts = {id(group_of[tensor]): group_of[tensor] for tensor in tensors}
    for part in parts.values():
        whole.makers += part.makers
        whole.readers += part.readers
        whole.sums += part.sums
    for tensor, group in group_of.items():
        if id(group) in parts:
            group_of[tensor] = whole
    return whole


def _inputs(layer: keras.layers.Layer) -> list[Any]:
    inputs = layer.input
    return list(inputs) if isinstance(inputs, list | tuple) else [inputs]


def _is_linear(block: ConvBlock) -> bool:
    return block.batch_norm and block.activation is keras.activations.linear


def _largest(
    model: Segmenter, groups: Sequence[_Group], images: Iterable[Array]
) -> list[Array]:
    """The largest magnitude of each channel in each group."""
    seen = _Largest(groups)
    with watched_by(seen):
        for image in images:
            model(image, training=False)
    return [np.max(of_group, axis=0) for of_group in seen.found]


class _Largest:
    """A `Watcher` that collects the largest magnitudes, map by map."""

    def __init__(self, groups: Sequence[_Group]) -> None:
        self.found: list[list[Array]] = [[] for _ in groups]
        self._group_of = {
            id(layer): index
            for index, group in enumerate(groups)
            for layer in group.last_layers
        }

    def kernel(self, layer: keras.layers.Layer, kernel: Tensor) -> Tensor:
        return kernel

    def feature_map(self, layer: keras.layers.Layer, outputs: Tensor) -> Tensor:
        index = self._group_of.get(id(layer))
        if index is not None:
            largest = ops.max(ops.abs(outputs), axis=(0, 1, 2))
            self.found[index].append(ops.convert_to_numpy(largest))
        return outputs


def _factors(largest: Array) -> Array:
    whole = np.full_like(largest, largest.max())
    ratio = np.divide(whole, largest, out=np.ones_like(largest), where=largest > 0)
    return np.minimum(ratio, _LARGEST_FACTOR)


def _scale(group: _Group, factors: Array) -> None:
    for block in group.makers:
        norm = block.steps[-1]
        norm.gamma.assign(norm.gamma * factors)
        norm.beta.assign(norm.beta * factors)
    for reader in group.readers:
        kernel = reader.steps[0].kernel
        kernel.assign(kernel / factors[None, None, :, None])
