"""DeepLab V3: atrous pyramid with batch norm and image pooling."""

from collections.abc import Sequence
from typing import Any

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.backbones import BACKBONES
from keras_deeplab.layers import ASPP, arguments
from keras_deeplab.models.pretrained import takes_weights
from keras_deeplab.models.segmenter import (
    Features,
    Frame,
    Segmenter,
    classifier,
)

# The papers' rates at output stride 16; they keep their extent in pixels elsewhere.
_RATES_AT_16 = (6, 12, 18)

V3_BACKBONES = tuple(name for name in BACKBONES if name != "vgg16")


def checked_rates(atrous_rates: Sequence[int] | None) -> tuple[int, ...] | None:
    """The argument as it is kept: a tuple, or `None` for the papers' rates."""
    if atrous_rates is None:
        return None
    return arguments.rates_of(atrous_rates=atrous_rates)


def atrous_pyramid(
    features: Tensor, frame: Frame, *, atrous_rates: Sequence[int] | None, **aspp: Any
) -> Tensor:
    """The atrous pyramid of V3 and V3+ on the backbone's last feature map."""
    if atrous_rates is None:
        atrous_rates = [rate * 16 // frame.output_stride for rate in _RATES_AT_16]
    layer = ASPP(
        rates=tuple(atrous_rates),
        image_pooling_window=frame.window,
        name="aspp",
        **aspp,
    )
    return layer(features)


@register
class DeepLabV3(Segmenter):
    """DeepLab V3.

    The official MobileNetV2 models have no atrous branches: `atrous_rates=()`.

    Args:
        backbone: A key of `keras_deeplab.backbones.BACKBONES` (all but `"vgg16"`), or
            `"xception"`.
        output_stride: Input pixels a feature: 8, 16 or 32.
        atrous_rates: Rates of the pyramid; `None` for 6, 12, 18 at output stride 16,
            doubled at 8, halved at 32. Empty for no atrous branches.
        filters: Channels of the pyramid.
        separable: Whether the atrous branches are depthwise-separable.
        image_pooling: Whether the pyramid has the image-level branch.
        dropout: Fraction dropped before the classifier, in `[0, 1)`.
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
        ValueError: If an argument is out of range.
        TypeError: If the backbone has no such option.

    Examples:
        >>> model = keras_deeplab.DeepLabV3(backbone="mobilenet_v2", classes=4)
        >>> tuple(model(keras.ops.zeros((1, 65, 49, 3))).shape)
        (1, 65, 49, 4)

    References:
        - [Chen et al., 2017](https://arxiv.org/abs/1706.05587), section 3
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
        separable: bool = False,
        image_pooling: bool = True,
        dropout: float = 0.1,
        **kwargs: Any,
    ) -> None:
        head = {
            "atrous_rates": checked_rates(atrous_rates),
            "filters": filters,
            "separable": separable,
            "image_pooling": image_pooling,
            "dropout": dropout,
        }
        super().__init__(head, backbone=backbone, output_stride=output_stride, **kwargs)

    @staticmethod
    def _logits(features: Features, frame: Frame, **head: Any) -> Tensor:
        return classifier(frame.classes)(atrous_pyramid(features["c5"], frame, **head))
