"""DeepLabV3+ of this project."""

from collections.abc import Sequence
from typing import Any

from keras_model import KerasModel

import keras_deeplab
from keras_deeplab.training import SegmentationCrossEntropy


def build(
    backbone: str,
    size: Sequence[int],
    batch: int,
    classes: int,
    atrous_rates: Sequence[int] | None = None,
    **options: Any,
) -> KerasModel:
    model = keras_deeplab.DeepLabV3Plus(
        backbone, classes=classes, crop_size=size, atrous_rates=atrous_rates
    )
    return KerasModel(
        model, SegmentationCrossEntropy(), tuple(size), batch, classes, **options
    )
