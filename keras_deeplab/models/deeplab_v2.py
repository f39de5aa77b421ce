"""DeepLab V2: parallel classifiers at several rates, summed."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.backbones import BackboneSpec
from keras_deeplab.layers import ASPP, Resize, arguments
from keras_deeplab.models.pretrained import takes_weights
from keras_deeplab.models.segmenter import (
    Features,
    Frame,
    Segmenter,
)


@register
class DeepLabV2(Segmenter):
    """DeepLab V2: ResNet-101, or VGG-16 with ASPP-S or ASPP-L.

    Each rate has its own classifier on the backbone's features, and their scores are
    summed. On VGG-16 a classifier is fc6, fc7 and fc8 (`hidden_filters=1024`).

    With several `scales` the same weights look at the image at each of them, and the
    highest score of each class wins at every pixel. Weights fit every set of scales.

    Args:
        backbone: `"resnet101"`, `"resnet50"` or `"vgg16"`.
        output_stride: Input pixels a feature: 8 as published, 16 or 32.
        atrous_rates: Rates of the classifiers; `None` for 6, 12, 18, 24 (ASPP-L) at
            output stride 8, halved at 16 and again at 32. ASPP-S is 2, 4, 8, 12.
        hidden_filters: Channels of fc6 and fc7, 0 for none; `None` for the paper's:
            1024 on VGG-16, none on ResNet.
        dropout: Fraction dropped after fc6 and after fc7, in `[0, 1)`.
        scales: Scales of the input, the first 1; the paper's are 1, 0.75, 0.5.
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
        >>> model = keras_deeplab.DeepLabV2("vgg16", hidden_filters=32, classes=3)
        >>> tuple(model(keras.ops.zeros((1, 65, 49, 3))).shape)
        (1, 65, 49, 3)

    References:
        - [Chen et al., 2016](https://arxiv.org/abs/1606.00915), sections 3.2 and 4.1
    """

    backbones = ("resnet101", "resnet50", "vgg16")

    @takes_weights
    def __init__(
        self,
        backbone: str = "resnet101",
        *,
        output_stride: int = 8,
        atrous_rates: Sequence[int] | None = None,
        hidden_filters: int | None = None,
        dropout: float = 0.5,
        scales: Sequence[float] = (1.0,),
        **kwargs: Any,
    ) -> None:
        vgg = self._checked_backbone(backbone) == "vgg16"
        kwargs.setdefault("preprocessing", "caffe_voc")
        if vgg:
            # V2 keeps V1's pools but for the last, averaging one.
            kwargs.setdefault("average_pool", False)
        if hidden_filters is None:
            hidden_filters = 1024 if vgg else 0
        head = {
            "atrous_rates": None
            if atrous_rates is None
            else arguments.rates_of(atrous_rates=atrous_rates),
            "hidden_filters": hidden_filters,
            "dropout": dropout,
            "scales": _checked_scales(scales),
        }
        super().__init__(head, backbone=backbone, output_stride=output_stride, **kwargs)

    @classmethod
    def _network(
        cls, spec: BackboneSpec, pixels: Tensor, frame: Frame, **head: Any
    ) -> Tensor:
        # A model within the model, so that every scale meets the same layers, and
        # weights have the same names for every set of scales.
        scales = head.pop("scales")
        inputs = keras.Input(pixels.shape[1:], name="pixels")
        outputs = super()._network(spec, inputs, frame, **head)
        network = keras.Model(inputs, outputs, name="network")
        logits = network(pixels)
        for scale in scales[1:]:
            percent = round(scale * 100)
            small = Resize(scale=scale, name=f"scale_{percent}")(pixels)
            scores = Resize(name=f"scale_{percent}_scores")(network(small), like=logits)
            logits = keras.layers.Maximum(name=f"scale_{percent}_max")([logits, scores])
        return logits

    @staticmethod
    def _logits(
        features: Features,
        frame: Frame,
        *,
        atrous_rates: Sequence[int] | None,
        hidden_filters: int,
        dropout: float,
    ) -> Tensor:
        if atrous_rates is None:
            atrous_rates = [rate // frame.output_stride for rate in (48, 96, 144, 192)]
        layer = ASPP(
            frame.classes,
            tuple(atrous_rates),
            merge="sum",
            hidden_filters=hidden_filters or None,
            dropout=dropout,
            name="aspp",
        )
        return layer(features["c5"])


def _checked_scales(scales: Sequence[float]) -> tuple[float, ...]:
    checked = tuple(scales)
    if not checked or checked[0] != 1 or any(not 0 < scale <= 1 for scale in checked):
        raise ValueError(
            "`scales` must begin with 1 and lie above 0 and up to 1. "
            f"Received: {scales=}"
        )
    return checked
