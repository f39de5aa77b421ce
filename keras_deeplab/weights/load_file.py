"""From a file of any format to a ready model."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from keras_deeplab.models import Segmenter
from keras_deeplab.weights.array_archive import MOST_BYTES, is_exported
from keras_deeplab.weights.conversion_summary import ConversionSummary
from keras_deeplab.weights.convert import convert_official
from keras_deeplab.weights.fetch_weights import nearest_names
from keras_deeplab.weights.folded_graph import FoldedGraph
from keras_deeplab.weights.keras_file import load_keras
from keras_deeplab.weights.npz import read_npz
from keras_deeplab.weights.official_archive import unpacked
from keras_deeplab.weights.official_mobilenet_v2 import build_mobilenet_v2
from keras_deeplab.weights.tf1_checkpoint import checkpoint_prefix

# A model, and what became of the variables it is made of.
Loaded = tuple[Segmenter, ConversionSummary]


def load_file(source: str | os.PathLike[str]) -> Segmenter:
    """Loads a model from a file; see `load_model`."""
    return convert_file(source)[0]


def convert_file(source: str | os.PathLike[str]) -> Loaded:
    """Does what `load_file` does, and also tells what became of the variables."""
    path = Path(source)
    if checkpoint_prefix(path) is not None:
        return convert_official(path)
    reader = _reader(path)
    if path.suffix.lower() == ".h5":
        raise ValueError(
            "`source` holds arrays alone: build their model with "
            f"weights={str(source)!r}. Received: source={str(source)!r}"
        )
    if reader is None:
        raise ValueError(
            f"`source` must be a file ending in {', '.join(READERS)}, or the name of "
            f"weights.{nearest_names(str(source))} Received: source={str(source)!r}"
        )
    # Unlike the method of a path, this takes every name that cannot be a file's.
    if not os.path.isfile(path):
        raise ValueError(f"`source` is not a file. Received: source={str(source)!r}")
    return reader(path)


def is_file_name(source: str) -> bool:
    """Whether `load_file` takes this for a file's name, be it there or not."""
    path = Path(source)
    return _reader(path) is not None or checkpoint_prefix(path) is not None


def _reader(path: Path) -> Callable[[Path], Loaded] | None:
    name = path.name.lower()
    ends = (end for end in READERS if name.endswith(end) and name != end)
    return next((READERS[end] for end in ends), None)


def _load_npz(path: Path) -> Segmenter:
    return _load_official(path, read_npz)


def _load_tflite(path: Path) -> Segmenter:
    # The reader brings the TFLite schema along, which few processes need.
    from keras_deeplab.weights.tflite import read_tflite

    try:
        return _load_official(path, read_tflite)
    except ValueError as error:
        if not is_exported(path):
            raise
        raise ValueError(
            "`source` is a file that `keras-deeplab export` wrote, which is run as it "
            "is and not loaded: by the commands with `--engine tflite`, in Python by "
            f"`keras_deeplab.export.LiteModel`. Received: source={str(path)!r}"
        ) from error


def _load_official(path: Path, read: Callable[[Path], FoldedGraph]) -> Segmenter:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES} bytes")
        return build_mobilenet_v2(read(path))
    except Exception as error:
        # Lengths and offsets in a damaged file mean anything, and so do the errors.
        told = isinstance(error, ValueError)
        problem = error if told else f"it is damaged, {type(error).__name__}: {error}"
        raise ValueError(
            f"`source` is not an official DeepLab model that this package knows: "
            f"{problem}. Received: source={str(path)!r}"
        ) from error


def _convert_archive(path: Path) -> Loaded:
    with unpacked(path) as source:
        return convert_official(source)


def _whole(load: Callable[[Path], Segmenter]) -> Callable[[Path], Loaded]:
    """For formats of which every array has a place, or the file is refused."""

    def read(path: Path) -> Loaded:
        model = load(path)
        used = tuple(weight.path for weight in model.weights)
        return model, ConversionSummary(source=str(path), used=used, skipped=())

    return read


READERS: Mapping[str, Callable[[Path], Loaded]] = MappingProxyType(
    {
        ".keras": _whole(load_keras),
        ".tflite": _whole(_load_tflite),
        ".npz": _whole(_load_npz),
        ".pb": convert_official,
        ".tar.gz": _convert_archive,
        # Several files of which none has this name: see above.
        ".ckpt": convert_official,
    }
)
