"""Dense prediction cell: a pyramid whose branches feed on one another."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Shape, Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.layers.conv_block import ConvBlock, separable_initializers

# The best cell that the paper's search found, its rates those of output stride 16.
RATES = ((1, 6), (18, 15), (6, 3), (1, 1), (6, 21))
SOURCES = (-1, 0, 1, 0, 0)


@register
class DensePredictionCell(keras.layers.Layer):
    """Looks at one feature map through atrous rates that a search has chosen.

    Each branch is a depthwise-separable `3 x 3` convolution with its own rates down and
    across, batch norm and ReLU after the depthwise and after the `1 x 1` convolution.
    It reads the feature map or the output of an earlier branch. The outputs of all
    branches are concatenated in their order and projected to `filters` channels.

    The defaults are the cell of the official Cityscapes model, at output stride 16;
    its rates double at 8.

    Args:
        filters: Channels of each branch and of the output.
        rates: For each branch its atrous rates down and across.
        sources: For each branch what it reads: the index of an earlier branch, or -1
            for the feature map.
        dropout: Fraction of the concatenated outputs dropped before the projection, in
            `[0, 1)`.
        epsilon: Added to the variance by the batch norms.
        momentum: Share of the old moving statistics kept at each training step.
        **kwargs: Passed to `keras.layers.Layer`, for example `name`, `dtype`.

    Call arguments:
        inputs: Feature map, see the input shape.
        training: Whether dropout and batch statistics are active.

    Input shape:
        `(batch, height, width, channels)`. Height and width may be `None`.

    Output shape:
        `(batch, height, width, filters)`.

    Raises:
        ValueError: If `filters` or a rate is not positive, `dropout` is out of range,
            or `sources` does not give each branch an earlier one.

    Examples:
        >>> cell = keras_deeplab.layers.DensePredictionCell(filters=32)
        >>> tuple(cell(keras.ops.zeros((1, 33, 33, 64))).shape)
        (1, 33, 33, 32)

    References:
        - [Chen et al., 2018](https://arxiv.org/abs/1809.04184), sections 3.1 and 4
    """

    def __init__(
        self,
        filters: int = 256,
        rates: Sequence[int | Sequence[int]] = RATES,
        sources: Sequence[int] = SOURCES,
        *,
        dropout: float = 0.1,
        epsilon: float = 1e-5,
        momentum: float = 0.9997,
        **kwargs: Any,
    ) -> None:
        filters = arguments.positive(filters=filters)
        pairs = arguments.pairs_of(rates=rates)
        checked_sources = _checked_sources(sources, len(pairs))
        dropout = arguments.fraction(dropout=dropout)
        super().__init__(**kwargs)
        self.filters = filters
        self.rates = pairs
        self.sources = checked_sources
        self.dropout = dropout
        self.epsilon = epsilon
        self.momentum = momentum
        self.branches = [
            self._block(
                f"branch_{index}",
                rate=rate,
                separable=True,
                depthwise_activation="relu",
                **separable_initializers(),
            )
            for index, rate in enumerate(pairs)
        ]
        self.drop = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="dropout"
        )
        self.projection = self._block("projection", kernel_size=1)

    def _block(self, name: str, **kwargs: Any) -> ConvBlock:
        return ConvBlock(
            self.filters,
            epsilon=self.epsilon,
            momentum=self.momentum,
            dtype=self.dtype_policy,
            name=name,
            **kwargs,
        )

    def build(self, input_shape: Shape) -> None:
        branch_shape = self.compute_output_shape(input_shape)
        for branch, source in zip(self.branches, self.sources, strict=True):
            branch.build(input_shape if source < 0 else branch_shape)
        merged_shape = (*input_shape[:-1], self.filters * len(self.branches))
        self.drop.build(merged_shape)
        self.projection.build(merged_shape)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        outputs: list[Tensor] = []
        for branch, source in zip(self.branches, self.sources, strict=True):
            features = inputs if source < 0 else outputs[source]
            outputs.append(branch(features, training=training))
        merged = self.drop(ops.concatenate(outputs, axis=-1), training=training)
        return self.projection(merged, training=training)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "rates": self.rates,
            "sources": self.sources,
            "dropout": self.dropout,
            "epsilon": self.epsilon,
            "momentum": self.momentum,
        }


def _checked_sources(sources: Sequence[int], branches: int) -> tuple[int, ...]:
    found = arguments.integers(sources) or ()
    earlier = (source in range(-1, index) for index, source in enumerate(found))
    if not found or len(found) != branches or not all(earlier):
        raise ValueError(
            f"`sources` must hold, for each of the {branches} branches of `rates`, the "
            "index of an earlier branch, or -1 for the feature map. "
            f"Received: {sources=}"
        )
    return found
