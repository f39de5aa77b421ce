"""DeepLab for Keras 3: models, layers, official weights, and the way to ship them."""

from keras_deeplab import backbones, layers, models
from keras_deeplab.models import LRASPP, DeepLabV1, DeepLabV2, DeepLabV3, DeepLabV3Plus

__all__ = [
    "LRASPP",
    "DeepLabV1",
    "DeepLabV2",
    "DeepLabV3",
    "DeepLabV3Plus",
    "backbones",
    "layers",
    "models",
]
