"""DeepLabV3+ of this project."""

from collections.abc import Sequence
from typing import Any

from keras_model import KerasModel

import keras_deeplab
from keras_deeplab.training import SegmentationCrossEntropy


def build(
    backbone: str, size: Sequence[int], batch: int, classes: int, **options: Any
) -> KerasModel:
    model = keras_deeplab.DeepLabV3Plus(backbone, classes=classes, crop_size=size)
    return KerasModel(
        model, SegmentationCrossEntropy(), tuple(size), batch, classes, **options
    )
