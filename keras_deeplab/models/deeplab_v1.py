"""DeepLab V1: VGG-16 with a large field of view."""

from collections.abc import Mapping
from typing import Any

import keras

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import ConvBlock, arguments
from keras_deeplab.models.pretrained import takes_weights
from keras_deeplab.models.segmenter import (
    Features,
    Frame,
    Segmenter,
    classifier,
    rescaled,
)


@register
class DeepLabV1(Segmenter):
    """DeepLab V1, the LargeFOV form.

    VGG-16 whose first fully connected layer has become a `3 x 3` convolution at a
    large rate. The papers follow it with a dense CRF.

    Args:
        backbone: `"vgg16"`.
        output_stride: Input pixels a feature: 8 as published, 16 or 32.
        rate: Rate of the convolution that was fc6; `None` for 12 at output stride 8,
            halved at 16 and again at 32.
        filters: Channels of fc6 and fc7.
        dropout: Fraction dropped after fc6 and after fc7, in `[0, 1)`.
        weights: `None` for a fresh start; or trained weights: their name, their data
            set, such as `"pascal_voc"` or `"imagenet"`, or a file; see
            `keras_deeplab.weights`. They decide what is not given, the backbone too.
        **kwargs: Arguments of `Segmenter` (`input_shape`, `classes`,
            `classifier_activation`, `crop_size`, `name`, ...) and options of the
            backbone.

    Input shape:
        `(batch, height, width, 3)`, float32, preprocessed; see `Segmenter.preprocess`.

    Output shape:
        `(batch, height, width, classes)`, float32 logits at the input's size.

    Raises:
        ValueError: If an argument is out of range.
        TypeError: If the backbone has no such option.

    Examples:
        >>> model = keras_deeplab.DeepLabV1(classes=3, filters=64)
        >>> tuple(model(keras.ops.zeros((1, 65, 49, 3))).shape)
        (1, 65, 49, 3)

    References:
        - [Chen et al., 2014](https://arxiv.org/abs/1412.7062), sections 3 and 5
    """

    backbones = ("vgg16",)

    @takes_weights
    def __init__(
        self,
        backbone: str = "vgg16",
        *,
        output_stride: int = 8,
        rate: int | None = None,
        filters: int = 1024,
        dropout: float = 0.5,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("preprocessing", "caffe_voc")
        head = {
            "rate": None if rate is None else arguments.positive(rate=rate),
            "filters": arguments.positive(filters=filters),
            "dropout": dropout,
        }
        super().__init__(head, backbone=backbone, output_stride=output_stride, **kwargs)

    @staticmethod
    def _logits(
        features: Features,
        frame: Frame,
        *,
        rate: int | None,
        filters: int,
        dropout: float,
    ) -> Tensor:
        x = features["c5"]
        fc6_rate = 96 // frame.output_stride if rate is None else rate
        for name, size, layer_rate in (("fc6", 3, fc6_rate), ("fc7", 1, 1)):
            block = ConvBlock(
                filters,
                size,
                rate=layer_rate,
                batch_norm=False,
                kernel_initializer="he_normal",
                name=name,
            )
            x = keras.layers.Dropout(dropout, name=f"{name}_dropout")(block(x))
        return classifier(frame.classes)(x)

    def _rescaled(self, config: Mapping[str, Any], factor: float) -> dict[str, Any]:
        rate = config["rate"]
        return {"rate": rate and rescaled([rate], factor)[0]}
