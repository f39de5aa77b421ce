"""Trains a model as its 8-bit file will compute."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Self

import keras

from keras_deeplab._serialization import register
from keras_deeplab._types import Shape, Tensor
from keras_deeplab.layers import ConvBlock, Sum
from keras_deeplab.layers.base_atrous_conv import BaseAtrousConv
from keras_deeplab.layers.watch import watched_by
from keras_deeplab.training.fake_quantize import FakeQuantize, fake_quantize_kernel


@register
class QuantizationAware(keras.Model):
    """A model whose kernels and feature maps are rounded to 8 bits as it computes.

    `compile` and `fit` it as if it were the model: the weights that it trains are the
    model's own, in float, and learn to bear the rounding. Save and export that one:
    `to_tflite(model, quantize="int8")` rounds as was trained for, in the ranges of the
    photos of its calibration. Start from trained weights, at a low learning rate, and
    freeze the batch norms (`set_batch_norm`), as the file does.

    Rounded are the image, the kernels, the outputs of convolutions with their batch
    norm and activation, and residual sums; averages, gates and what is resized or
    concatenated are not. The export besides gives channels like ranges and leaves
    convolutions in float that would lose too much: its file rounds a little less.

    Args:
        model: A model of this package; trained in place.
        momentum: Share of the old range of a feature map kept at each step.
        **kwargs: Passed to `keras.Model`, for example `name`.

    Raises:
        ValueError: If `momentum` is out of range.

    Examples:
        >>> model = keras_deeplab.LRASPP("mobilenet_v3_small", classes=3)
        >>> aware = keras_deeplab.training.QuantizationAware(model)
        >>> loss = keras_deeplab.training.SegmentationCrossEntropy()
        >>> aware.compile("sgd", loss)

    References:
        - [Jacob et al., 2018](https://arxiv.org/abs/1712.05877), section 3
    """

    def __init__(
        self, model: keras.Model, *, momentum: float = 0.99, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.momentum = float(momentum)
        self.image_range = FakeQuantize(momentum, name="image_range")
        self.ranges = [
            FakeQuantize(momentum, name=f"range_{index}")
            for index, _ in enumerate(_rounded_layers(model))
        ]

    @property
    def output_shape(self) -> Shape:
        """That of the model."""
        return self.model.output_shape

    @property
    def range_variables(self) -> list[Any]:
        """What it has learned beside the model's weights."""
        ranges = (self.image_range, *self.ranges)
        return [variable for each in ranges for variable in each.variables]

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        inputs = self.image_range(inputs, training=training)
        with self.rounding(self.model, training=training):
            return self.model(inputs, training=training)

    @contextlib.contextmanager
    def rounding(
        self, model: keras.Model, *, training: bool | None = None
    ) -> Iterator[None]:
        """Has a model of the same layers round inside the block as this one does.

        Args:
            model: The model itself or a copy of it.
            training: Whether the ranges follow what they see.

        Yields:
            Nothing.
        """
        layers = _rounded_layers(model)
        ranges = {
            id(layer): each for layer, each in zip(layers, self.ranges, strict=True)
        }
        with watched_by(_Rounding(ranges, training)):
            yield

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "model": keras.saving.serialize_keras_object(self.model),
            "momentum": self.momentum,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**{**config, "model": model})


class _Rounding:
    """A `Watcher` that rounds."""

    def __init__(
        self, ranges: Mapping[int, FakeQuantize], training: bool | None
    ) -> None:
        self._ranges = ranges
        self._training = training

    def kernel(self, layer: BaseAtrousConv, kernel: Tensor) -> Tensor:
        return fake_quantize_kernel(kernel, depthwise=layer.depthwise)

    def feature_map(self, layer: keras.layers.Layer, outputs: Tensor) -> Tensor:
        found = self._ranges.get(id(layer))
        if found is None:
            return outputs
        return found(outputs, training=self._training)


def _rounded_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """What a file stores the output of, in the order of the model's layers."""
    layers = list(model._flatten_layers())
    blocks = [list(layer.steps) for layer in layers if isinstance(layer, ConvBlock)]
    steps = {id(step) for block in blocks for step in block}
    # A batch norm and an activation belong to the convolution before them.
    ends = {
        id(step)
        for block in blocks
        for step, after in zip(block, [*block[1:], None], strict=True)
        if after is None or isinstance(after, BaseAtrousConv)
    }
    return [
        layer
        for layer in layers
        if id(layer) in ends
        or (isinstance(layer, BaseAtrousConv | Sum) and id(layer) not in steps)
    ]


def find_aware(trained: keras.Model) -> QuantizationAware | None:
    """The `QuantizationAware` that a model is or is made of, if there is one."""
    layers = trained._flatten_layers()
    found = (layer for layer in layers if isinstance(layer, QuantizationAware))
    return next(found, None)
