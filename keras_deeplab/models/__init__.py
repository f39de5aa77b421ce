"""Models: plain data in, `keras.Model` out."""

from keras_deeplab.models.complexity import (
    MODELS,
    MODELS_BY_NAME,
    ModelRow,
    count_multiply_adds,
    model_table,
)
from keras_deeplab.models.copy_weights import copy_weights
from keras_deeplab.models.deeplab_v1 import DeepLabV1
from keras_deeplab.models.deeplab_v2 import DeepLabV2
from keras_deeplab.models.deeplab_v3 import DeepLabV3
from keras_deeplab.models.deeplab_v3plus import DeepLabV3Plus
from keras_deeplab.models.lraspp import LRASPP
from keras_deeplab.models.segmenter import Segmenter

__all__ = [
    "LRASPP",
    "MODELS",
    "MODELS_BY_NAME",
    "DeepLabV1",
    "DeepLabV2",
    "DeepLabV3",
    "DeepLabV3Plus",
    "ModelRow",
    "Segmenter",
    "copy_weights",
    "count_multiply_adds",
    "model_table",
]
