"""Trained weights: names and files to models.

The argument `weights` of the models, such as `DeepLabV3Plus(weights=...)`, is

- a name, as `keras-deeplab weights list` shows them;
- a data set, such as `"pascal_voc"`, `"cityscapes"`, `"ade20k"` or `"imagenet"`: the
  first weights of it that suit the model and its other arguments, on the model's own
  default backbone if there are any;
- a file: all that `load_model` reads, one of keras.applications, `.h5`, or one of this
  model's own weights, `.weights.h5`.

Arguments that are not given are those the weights were made with: backbone, classes and
their names, output stride, crop size, preprocessing. For another number of `classes`
all weights are kept but the classifier's, and a `UserWarning` says so. Weights of a
backbone alone leave the head as it starts. Unsuitable weights raise a `ValueError` that
lists what exists, before anything is downloaded; a download that fails, a
`DownloadError`.
"""

from keras_deeplab.weights import pretrained  # noqa: F401
from keras_deeplab.weights.conversion_summary import ConversionSummary
from keras_deeplab.weights.convert import load_official
from keras_deeplab.weights.convert_weights import convert_weights
from keras_deeplab.weights.download_error import DownloadError
from keras_deeplab.weights.fetch_weights import fetch_weights, find_row
from keras_deeplab.weights.keras_applications import load_keras_applications
from keras_deeplab.weights.load import load_model
from keras_deeplab.weights.local_weights import (
    LocalWeights,
    find_local,
    find_local_fault,
)
from keras_deeplab.weights.manifest import manifest
from keras_deeplab.weights.score import Score
from keras_deeplab.weights.unfold_batch_norm import unfold_batch_norm
from keras_deeplab.weights.weights_row import WeightsRow

__all__ = [
    "ConversionSummary",
    "DownloadError",
    "LocalWeights",
    "Score",
    "WeightsRow",
    "convert_weights",
    "fetch_weights",
    "find_local",
    "find_local_fault",
    "find_row",
    "load_keras_applications",
    "load_model",
    "load_official",
    "manifest",
    "unfold_batch_norm",
]
