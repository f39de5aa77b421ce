"""DeepLab V3+: V3 as encoder, and a small decoder for the borders."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import ConvBlock, DensePredictionCell, Resize, arguments
from keras_deeplab.layers.conv_block import separable_initializers
from keras_deeplab.layers.dense_prediction_cell import RATES
from keras_deeplab.models.deeplab_v3 import V3_BACKBONES, atrous_pyramid, checked_rates
from keras_deeplab.models.pretrained import takes_weights
from keras_deeplab.models.segmenter import (
    Features,
    Frame,
    Segmenter,
    classifier,
    rescaled,
)


def prediction_cell(
    features: Tensor, frame: Frame, *, filters: int, dropout: float, **_aspp: Any
) -> Tensor:
    """The dense prediction cell, its rates of the same extent at every stride."""
    factor = 16 / frame.output_stride
    rates = [rescaled(pair, factor) for pair in RATES]
    return DensePredictionCell(filters, rates, dropout=dropout, name="dpc")(features)


PYRAMIDS: Mapping[str, Callable[..., Tensor]] = MappingProxyType(
    {"aspp": atrous_pyramid, "dpc": prediction_cell}
)


@register
class DeepLabV3Plus(Segmenter):
    """DeepLab V3+.

    The pyramid's output is resized to stride 4, joined with a projection of the
    backbone's features there, and refined by two `3 x 3` convolutions.

    The official Xception-71 for Cityscapes has a dense prediction cell in the pyramid's
    place: `pyramid="dpc"`. It has its own rates, those of the paper at output stride
    16, doubled at 8, halved at 32; and no image-level branch.

    Args:
        backbone: A key of `keras_deeplab.backbones.BACKBONES` (all but `"vgg16"`), or
            `"xception"`.
        output_stride: Input pixels a feature of the encoder: 8, 16 or 32.
        pyramid: `"aspp"` or `"dpc"`; see `ASPP` and `DensePredictionCell`.
        atrous_rates: Rates of the pyramid; `None` for 6, 12, 18 at output stride 16,
            doubled at 8, halved at 32. Empty for no atrous branches.
        filters: Channels of the pyramid.
        separable: Whether the `3 x 3` convolutions of pyramid and decoder are
            depthwise-separable. Those of the cell always are.
        image_pooling: Whether the pyramid has the image-level branch; `None` for
            what is usual, which is `True` but for the cell.
        dropout: Fraction dropped at the end of the pyramid, in `[0, 1)`.
        low_level_filters: Channels of the projected low-level features.
        decoder_filters: Channels of the decoder's two convolutions.
        weights: `None` for a fresh start; or trained weights: their name, their data
            set, such as `"pascal_voc"` or `"imagenet"`, or a file; see
            `keras_deeplab.weights`. They decide what is not given, the backbone too.
        **kwargs: Arguments of `Segmenter` (`input_shape`, `classes`,
            `classifier_activation`, `crop_size`, `name`, ...) and options of the
            backbone (`alpha`, `multi_grid`, ...).

    Input shape:
        `(batch, height, width, 3)`, float32, preprocessed; see `Segmenter.preprocess`.

    Output shape:
        `(batch, height, width, classes)`, float32 logits at the input's size.

    Raises:
        ValueError: If an argument is out of range, or is not for the pyramid chosen.
        TypeError: If the backbone has no such option.

    Examples:
        >>> model = keras_deeplab.DeepLabV3Plus(backbone="mobilenet_v2", alpha=0.35)
        >>> tuple(model(keras.ops.zeros((1, 65, 49, 3))).shape)
        (1, 65, 49, 21)

    References:
        - [Chen et al., 2018](https://arxiv.org/abs/1802.02611), section 3.1
        - [Chen et al., 2018](https://arxiv.org/abs/1809.04184), for the cell
    """

    backbones = V3_BACKBONES

    @takes_weights
    def __init__(
        self,
        backbone: str = "xception65",
        *,
        output_stride: int = 16,
        pyramid: str = "aspp",
        atrous_rates: Sequence[int] | None = None,
        filters: int = 256,
        separable: bool = True,
        image_pooling: bool | None = None,
        dropout: float = 0.1,
        low_level_filters: int = 48,
        decoder_filters: int = 256,
        **kwargs: Any,
    ) -> None:
        arguments.check_choice(PYRAMIDS, pyramid=pyramid)
        if pyramid == "dpc":
            _check_unused(
                atrous_rates=atrous_rates, image_pooling=image_pooling or None
            )
        elif image_pooling is None:
            image_pooling = True
        head = {
            "pyramid": pyramid,
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
        pyramid: str,
        low_level_filters: int,
        decoder_filters: int,
        separable: bool,
        **options: Any,
    ) -> Tensor:
        build = PYRAMIDS[pyramid]
        x = build(features["c5"], frame, separable=separable, **options)
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


def _check_unused(**values: Any) -> None:
    for name, value in values.items():
        if value is not None:
            raise ValueError(
                f'`{name}` must be `None` with `pyramid="dpc"`: the cell has its own '
                f"rates and no image pooling. Received: {name}={value!r}"
            )
