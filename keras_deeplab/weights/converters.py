"""How the files of the manifest become weights of our models."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import keras

from keras_deeplab.models import copy_weights
from keras_deeplab.weights.conversion_summary import ConversionSummary
from keras_deeplab.weights.convert import load_official
from keras_deeplab.weights.keras_applications import load_keras_applications
from keras_deeplab.weights.keras_file import load_keras
from keras_deeplab.weights.official_archive import unpacked

# A file, the model to load it into, and which part of the model: see `load_official`.
Converter = Callable[[Path, keras.Model, str], ConversionSummary]


def _from_archive(path: Path, model: keras.Model, part: str) -> ConversionSummary:
    with unpacked(path) as source:
        return load_official(source, model, part=part)


def _from_keras_applications(
    path: Path, model: keras.Model, part: str
) -> ConversionSummary:
    # There is nothing but a backbone in it.
    return load_keras_applications(path, model)


def _from_keras(path: Path, model: keras.Model, part: str) -> ConversionSummary:
    fresh = copy_weights(load_keras(path), model, classifier=part == "all")
    used = tuple(w.path for w in model.weights if w.path not in fresh)
    return ConversionSummary(source=str(path), used=used, skipped=(), kept=fresh)


CONVERTERS: Mapping[str, Converter] = MappingProxyType(
    {
        "keras": _from_keras,
        "keras_applications": _from_keras_applications,
        "tf1": _from_archive,
    }
)
