"""Reads models that Keras saved."""

import textwrap
import warnings
import zipfile
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import keras

from keras_deeplab.models import Segmenter


def load_keras(path: Path) -> Segmenter:
    """Loads a model of this package from a `.keras` file.

    Args:
        path: The file.

    Returns:
        The model, not compiled.

    Raises:
        ValueError: If the file is damaged, holds another model, or its weights are not
            exactly those of its model.
    """
    try:
        with warnings.catch_warnings():
            # For some missing arrays Keras only warns; all are counted below.
            warnings.filterwarnings("ignore", "Skipping nested container")
            model = keras.saving.load_model(path, compile=False)
        stored = _stored_arrays(path)
    except Exception as error:
        # Keras raises whatever its archive reader meets; to a user all mean one thing.
        # Its longest messages end in what was wrong.
        reason = str(error).rpartition("Exception encountered:")[2]
        problem = textwrap.shorten(reason, 500, placeholder=" ...")
        raise ValueError(
            f"`source` cannot be read as a Keras file ({problem}). "
            f"Received: source={str(path)!r}"
        ) from error
    if not isinstance(model, Segmenter):
        raise ValueError(
            "`source` must hold a model of this package, not a "
            f"{type(model).__name__}. Received: source={str(path)!r}"
        )
    # Keras ignores arrays too many, and fills some missing ones at random.
    if stored != len(model.weights):
        raise ValueError(
            f"`source` must hold the {len(model.weights)} arrays of its model's "
            f"weights, not {stored}. Received: source={str(path)!r}"
        )
    return model


def _stored_arrays(path: Path) -> int:
    """How many arrays of its layers a Keras file holds."""
    arrays = []

    def visit(name: str, item: object) -> None:
        # A compiled model's file also holds those of its optimizer.
        if name.startswith("layers/") and isinstance(item, h5py.Dataset):
            arrays.append(name)

    with (
        zipfile.ZipFile(path) as archive,
        archive.open("model.weights.h5") as file,
        h5py.File(file) as content,
    ):
        content.visititems(visit)
    return len(arrays)
