"""Lite R-ASPP: the mobile head of MobileNetV3."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import (
    AtrousConv,
    ConvBlock,
    ImagePooling,
    Resize,
    arguments,
)
from keras_deeplab.models.pretrained import takes_weights
from keras_deeplab.models.segmenter import Features, Frame, Segmenter, rescaled

# The official models were trained on crops of 769, and pool over all of one.
_CROP = 769
# Steps of the pooling window at output stride 32, in height and width.
_STRIDES_AT_32 = (4, 5)


@register
class LRASPP(Segmenter):
    """Lite R-ASPP: one projection, gated by the scene, plus low-level logits.

    The gate is pooled over a large window with a large step, so that it costs little.
    Two classifiers, on the gated features and on those at stride 8, are summed.

    Args:
        backbone: `"mobilenet_v3_small"`, `"mobilenet_v3_large"` or `"mobilenet_v2"`.
        output_stride: Input pixels a feature: 8, 16 or 32. The paper has 16 and 32,
            the official models 32.
        filters: Channels of the projection and of the gate.
        pooling_strides: Steps of the pooling window in features, in height and width;
            `None` for 4 and 5 at output stride 32, as in the official models, doubled
            at 16 and again at 8, so that they keep their extent in pixels.
        weights: `None` for a fresh start; or trained weights: their name, their data
            set, such as `"pascal_voc"` or `"imagenet"`, or a file; see
            `keras_deeplab.weights`. They decide what is not given, the backbone too.
        **kwargs: Arguments of `Segmenter` (`input_shape`, `classes`,
            `classifier_activation`, `name`, ...) and options of the backbone
            (`alpha`, ...). `crop_size` is 769 unless given: the pooling window of the
            official models.

    Input shape:
        `(batch, height, width, 3)`, float32, preprocessed; see `Segmenter.preprocess`.

    Output shape:
        `(batch, height, width, classes)`, float32 logits at the input's size.

    Raises:
        ValueError: If an argument is out of range.
        TypeError: If the backbone has no such option.

    Examples:
        >>> model = keras_deeplab.LRASPP(classes=19)
        >>> tuple(model(keras.ops.zeros((1, 65, 129, 3))).shape)
        (1, 65, 129, 19)

    References:
        - [Howard et al., 2019](https://arxiv.org/abs/1905.02244), section 6.4
    """

    backbones = ("mobilenet_v3_small", "mobilenet_v3_large", "mobilenet_v2")

    @takes_weights
    def __init__(
        self,
        backbone: str = "mobilenet_v3_large",
        *,
        output_stride: int = 16,
        filters: int = 128,
        pooling_strides: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("crop_size", _CROP)
        head = {
            "filters": filters,
            "pooling_strides": arguments.size_of(pooling_strides=pooling_strides),
        }
        super().__init__(head, backbone=backbone, output_stride=output_stride, **kwargs)

    @staticmethod
    def _logits(
        features: Features,
        frame: Frame,
        *,
        filters: int,
        pooling_strides: tuple[int, int] | None,
    ) -> Tensor:
        x, low = features["c5"], features["c3"]
        factor = 32 // frame.output_stride
        gate = ImagePooling(
            filters,
            window=frame.window,
            strides=pooling_strides
            or (_STRIDES_AT_32[0] * factor, _STRIDES_AT_32[1] * factor),
            batch_norm=False,
            activation="hard_sigmoid",
            name="gate",
        )(x)
        x = ConvBlock(filters, 1, name="projection")(x)
        x = keras.layers.Multiply(name="gated")([x, gate])
        # Classifying before resizing gives the same and costs less.
        # Not started small: in the official code these are decoder layers.
        high = AtrousConv(frame.classes, 1, name="logits")(x)
        high = Resize(name="resize")(high, like=low)
        low = AtrousConv(frame.classes, 1, name="low_level_logits")(low)
        return keras.layers.Add(name="sum")([high, low])

    def _rescaled(self, config: Mapping[str, Any], factor: float) -> dict[str, Any]:
        strides = config["pooling_strides"]
        return {"pooling_strides": strides and rescaled(strides, factor)}
