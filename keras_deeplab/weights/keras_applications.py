"""Weights of keras.applications for our backbones."""

from pathlib import Path

import keras

from keras_deeplab.weights.conversion_summary import ConversionSummary


def load_keras_applications(source: Path, model: keras.Model) -> ConversionSummary:
    """Not there yet."""
    raise NotImplementedError
