"""Trained weights: names and files to models."""

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
from keras_deeplab.weights.pretrained import find_start
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
    "find_start",
    "load_keras_applications",
    "load_model",
    "load_official",
    "manifest",
    "unfold_batch_norm",
]
