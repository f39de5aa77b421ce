"""DeepLab for Keras 3: models, layers, official weights, and the way to ship them."""

from keras_deeplab import (
    backbones,
    data,
    export,
    inference,
    layers,
    metrics,
    models,
    training,
    weights,
)
from keras_deeplab._version import __version__
from keras_deeplab.inference import evaluate, segment
from keras_deeplab.models import LRASPP, DeepLabV1, DeepLabV2, DeepLabV3, DeepLabV3Plus
from keras_deeplab.weights import load_model

__all__ = [
    "LRASPP",
    "DeepLabV1",
    "DeepLabV2",
    "DeepLabV3",
    "DeepLabV3Plus",
    "__version__",
    "backbones",
    "data",
    "evaluate",
    "export",
    "inference",
    "layers",
    "load_model",
    "metrics",
    "models",
    "segment",
    "training",
    "weights",
]
