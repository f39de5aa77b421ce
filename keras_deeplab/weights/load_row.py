"""Weights known by name into a model."""

import keras

from keras_deeplab.weights.cache import how_to_trust_anew
from keras_deeplab.weights.conversion_summary import ConversionSummary
from keras_deeplab.weights.converters import CONVERTERS
from keras_deeplab.weights.download_error import DownloadError
from keras_deeplab.weights.fetch_weights import fetch_row
from keras_deeplab.weights.weights_row import WeightsRow


def load_row(row: WeightsRow, model: keras.Model, part: str) -> ConversionSummary:
    """Downloads weights if need be and loads them into a model.

    Args:
        row: Which weights.
        model: The model.
        part: See `load_official`.

    Returns:
        What became of the file's variables.

    Raises:
        ValueError: If the file cannot be read, or does not fit the model.
        DownloadError: If it cannot be had, or is not the one it should be.
    """
    path = fetch_row(row)
    try:
        return CONVERTERS[row.converter](path, model, part)
    except (DownloadError, ValueError) as error:
        # Where no digest is stated, the first file that came may be anything.
        mend = "" if row.digest else f" {how_to_trust_anew(path)}."
        raise type(error)(
            f"`weights` cannot be loaded from {path}: {error}.{mend} "
            f"Received: weights={row.name!r}"
        ) from error
