"""How the files of the manifest become weights of our models."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import keras

from keras_deeplab.models import copy_weights
from keras_deeplab.weights.archive import extract
from keras_deeplab.weights.conversion_summary import ConversionSummary
from keras_deeplab.weights.convert import load_official
from keras_deeplab.weights.keras_applications import load_keras_applications
from keras_deeplab.weights.keras_file import load_keras

# A file, the model to load it into, and which part of the model: see `load_official`.
Converter = Callable[[Path, keras.Model, str], ConversionSummary]


def _from_archive(path: Path, model: keras.Model, part: str) -> ConversionSummary:
    # Unpacked anew each time: what was checked is the archive, not its files.
    with tempfile.TemporaryDirectory(prefix=".unpacked-", dir=path.parent) as folder:
        source = find_official(extract(path, Path(folder) / "files"))
        return load_official(source, model, part=part)


def find_official(files: list[Path]) -> Path:
    """Finds the one checkpoint of an official archive, or else its frozen graph.

    Args:
        files: What the archive holds.

    Returns:
        The prefix of the checkpoint, or the graph.

    Raises:
        ValueError: If there is neither, or there are several.
    """
    checkpoints = [path.with_suffix("") for path in files if path.suffix == ".index"]
    graphs = [path for path in files if path.suffix == ".pb"]
    found = checkpoints or graphs
    if len(found) != 1:
        names = ", ".join(path.name for path in files)
        raise ValueError(
            "The archive must hold one TensorFlow 1 checkpoint or one frozen graph. "
            f"Received: {names}"
        )
    return found[0]


def _from_keras_applications(
    path: Path, model: keras.Model, part: str
) -> ConversionSummary:
    return load_keras_applications(path, model)


def _from_keras(path: Path, model: keras.Model, part: str) -> ConversionSummary:
    source = load_keras(path)
    fresh = copy_weights(source, model, classifier=part == "all")
    return ConversionSummary(
        source=str(path),
        used=tuple(w.path for w in model.weights if w.path not in fresh),
        skipped=fresh,
        kept=fresh,
    )


CONVERTERS: Mapping[str, Converter] = MappingProxyType(
    {
        "keras": _from_keras,
        "keras_applications": _from_keras_applications,
        "tf1": _from_archive,
    }
)
