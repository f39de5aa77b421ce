"""DeepLab V3+: V3 as encoder, and a small decoder for the borders."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import ConvBlock, Resize, arguments
from keras_deeplab.layers.conv_block import separable_initializers
from keras_deeplab.models.deeplab_v3 import V3_BACKBONES, checked_rates, pyramid
from keras_deeplab.models.pretrained import takes_weights
from keras_deeplab.models.segmenter import (
    Features,
    Frame,
    Segmenter,
    classifier,
)


@register
class DeepLabV3Plus(Segmenter):
    """DeepLab V3+.

    The pyramid's output is resized to stride 4, joined with a projection of the
    backbone's features there, and refined by two `3 x 3` convolutions.

    Args:
        backbone: A key of `keras_deeplab.backbones.BACKBONES` (all but `"vgg16"`), or
            `"xception"`.
        output_stride: Input pixels a feature of the encoder: 8, 16 or 32.
        atrous_rates: Rates of the pyramid; `None` for 6, 12, 18 at output stride 16,
            doubled at 8, halved at 32. Empty for no atrous branches.
        filters: Channels of the pyramid.
        separable: Whether the `3 x 3` convolutions of pyramid and decoder are
            depthwise-separable.
        image_pooling: Whether the pyramid has the image-level branch.
        dropout: Fraction dropped after the pyramid, in `[0, 1)`.
        low_level_filters: Channels of the projected low-level features.
        decoder_filters: Channels of the decoder's two convolutions.
        **kwargs: Arguments of `Segmenter` (`input_shape`, `weights`, `classes`,
            `classifier_activation`, `crop_size`, `name`, ...) and options of the
            backbone (`alpha`, `multi_grid`, ...).

    Input shape:
        `(batch, height, width, 3)`, float32, preprocessed; see `Segmenter.preprocess`.

    Output shape:
        `(batch, height, width, classes)`, float32 logits at the input's size.

    Raises:
        ValueError: If an argument is out of range.
        TypeError: If the backbone has no such option.

    Examples:
        >>> model = keras_deeplab.DeepLabV3Plus(backbone="mobilenet_v2", alpha=0.35)
        >>> tuple(model(keras.ops.zeros((1, 65, 49, 3))).shape)
        (1, 65, 49, 21)

    References:
        - [Chen et al., 2018](https://arxiv.org/abs/1802.02611), section 3.1
    """

    backbones = V3_BACKBONES

    @takes_weights
    def __init__(
        self,
        backbone: str = "xception65",
        *,
        output_stride: int = 16,
        atrous_rates: Sequence[int] | None = None,
        filters: int = 256,
        separable: bool = True,
        image_pooling: bool = True,
        dropout: float = 0.1,
        low_level_filters: int = 48,
        decoder_filters: int = 256,
        **kwargs: Any,
    ) -> None:
        head = {
            "atrous_rates": checked_rates(atrous_rates),
            "filters": filters,
            "separable": separable,
            "image_pooling": image_pooling,
            "dropout": dropout,
            "low_level_filters": arguments.positive(
                low_level_filters=low_level_filters
            ),
            "decoder_filters": arguments.positive(decoder_filters=decoder_filters),
        }
        super().__init__(head, backbone=backbone, output_stride=output_stride, **kwargs)

    @staticmethod
    def _logits(
        features: Features,
        frame: Frame,
        *,
        low_level_filters: int,
        decoder_filters: int,
        separable: bool,
        **aspp: Any,
    ) -> Tensor:
        x = pyramid(features["c5"], frame, separable=separable, **aspp)
        low = ConvBlock(low_level_filters, 1, name="decoder_projection")(features["c2"])
        x = Resize(name="decoder_resize")(x, like=low)
        x = keras.layers.Concatenate(name="decoder_concat")([x, low])
        for index in (1, 2):
            x = ConvBlock(
                decoder_filters,
                separable=separable,
                depthwise_activation="relu",
                name=f"decoder_conv{index}",
                **(separable_initializers() if separable else {}),
            )(x)
        return classifier(frame.classes)(x)
