"""Parameters and multiply-adds of the models."""

import dataclasses
import gc
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import keras

from keras_deeplab.layers import arguments
from keras_deeplab.layers.base_atrous_conv import BaseAtrousConv
from keras_deeplab.models.deeplab_v1 import DeepLabV1
from keras_deeplab.models.deeplab_v2 import DeepLabV2
from keras_deeplab.models.deeplab_v3 import DeepLabV3
from keras_deeplab.models.deeplab_v3plus import DeepLabV3Plus
from keras_deeplab.models.lraspp import LRASPP
from keras_deeplab.models.segmenter import Segmenter

#: The classes of models.
MODELS: tuple[type[Segmenter], ...] = (
    DeepLabV1,
    DeepLabV2,
    DeepLabV3,
    DeepLabV3Plus,
    LRASPP,
)
#: The classes of models by name.
MODELS_BY_NAME: Mapping[str, type[Segmenter]] = MappingProxyType(
    {model.__name__: model for model in MODELS}
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelRow:
    """One model on one backbone, and what it costs.

    Args:
        model: Name of the model's class.
        backbone: Name of the backbone.
        output_stride: The model's default output stride.
        size: Height and width of the image that `multiply_adds` is for, in pixels.
        parameters: Number of weights, those of batch norms included.
        multiply_adds: Multiply-adds of the convolutions on one image.
    """

    model: str
    backbone: str
    output_stride: int
    size: int
    parameters: int
    multiply_adds: int


def count_multiply_adds(model: Segmenter, size: int | tuple[int, int]) -> int:
    """Counts the multiplications of a model's convolutions on one image.

    As in the papers: convolutions alone, each multiply-add once. Batch norm, resizing
    and gates are left out; further `scales` of a V2 model too.

    Args:
        model: Any model of this package.
        size: Height and width of the image, or one integer for both.

    Returns:
        Multiply-adds of one image.

    Raises:
        ValueError: If `size` is not one or two positive integers.
    """
    sides = arguments.size_of(size=size) or (None, None)
    config = {**model.get_config(), "input_shape": (*sides, 3)}
    return _multiply_adds(type(model).from_config(config))


def model_table(size: int = 513) -> Iterator[ModelRow]:
    """Goes through every model on every backbone, with default arguments.

    Args:
        size: Height and width of the image for the multiply-adds.

    Yields:
        A row for each.
    """
    for cls in MODELS:
        for backbone in cls.backbones:
            model = cls.from_config(
                {"backbone": backbone, "input_shape": (size, size, 3)}
            )
            yield ModelRow(
                model=cls.__name__,
                backbone=backbone,
                output_stride=model.output_stride,
                size=size,
                parameters=model.count_params(),
                multiply_adds=_multiply_adds(model),
            )
            # A model holds itself by reference cycles.
            del model
            gc.collect()


def _multiply_adds(model: keras.Model) -> int:
    layers = model._flatten_layers(include_self=False)
    convolutions = [layer for layer in layers if isinstance(layer, BaseAtrousConv)]
    return sum(layer.multiply_adds or 0 for layer in convolutions)
