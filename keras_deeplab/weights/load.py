"""One function from a file to a ready model."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import keras

from keras_deeplab.models import Segmenter
from keras_deeplab.weights.convert import build_official
from keras_deeplab.weights.npz import read_npz
from keras_deeplab.weights.official_mobilenet_v2 import build_mobilenet_v2
from keras_deeplab.weights.tf1_checkpoint import checkpoint_prefix


def load_model(source: str | os.PathLike[str]) -> Segmenter:
    """Loads a trained model, with its preprocessing and its class names.

    Args:
        source: A `.keras` file of a model of this package, an official DeepLab
            `.tflite` file of floats, the arrays of an official model, `.npz`, an
            official frozen graph, `.pb`, or an official TensorFlow 1 checkpoint: what
            the names of its files have in common, such as `model.ckpt`.

    Returns:
        A Keras model; `preprocess`, `class_names` and `crop_size` are set to what its
        weights expect.

    Raises:
        ValueError: If there is no such file, or it holds no model that this package
            knows: every tensor has to find its place, and every layer its tensor.
    """
    path = Path(source)
    if checkpoint_prefix(path) is not None:
        return build_official(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"`source` must be a file ending in {', '.join(_READERS)}. "
            f"Received: source={str(source)!r}"
        )
    if not path.is_file():
        raise ValueError(f"`source` is not a file. Received: source={str(source)!r}")
    return reader(path)


def _load_keras(path: Path) -> Segmenter:
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:
        # Keras raises whatever its archive reader meets; to a user all mean one thing.
        raise ValueError(
            f"`source` cannot be read as a Keras file ({error}). "
            f"Received: source={str(path)!r}"
        ) from error
    if not isinstance(model, Segmenter):
        raise ValueError(
            "`source` must hold a model of this package, not a "
            f"{type(model).__name__}. Received: source={str(path)!r}"
        )
    return model


def _load_npz(path: Path) -> Segmenter:
    return build_mobilenet_v2(read_npz(path))


def _load_tflite(path: Path) -> Segmenter:
    # The reader brings the TFLite schema along, which few processes need.
    from keras_deeplab.weights.tflite import read_tflite

    return build_mobilenet_v2(read_tflite(path))


_READERS: Mapping[str, Callable[[Path], Segmenter]] = MappingProxyType(
    {
        ".keras": _load_keras,
        ".tflite": _load_tflite,
        ".npz": _load_npz,
        ".pb": build_official,
        # Several files of which none has this name: see above.
        ".ckpt": build_official,
    }
)
