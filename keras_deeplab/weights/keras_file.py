"""Reads models, and weights of models, that Keras saved."""

import re
import textwrap
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import keras

from keras_deeplab.models import Segmenter, copy_weights
from keras_deeplab.models.copy_weights import CLASSIFIER
from keras_deeplab.weights.keras_archive import Shapes, check_archive, stored_shapes

_Result = TypeVar("_Result")


def load_keras(path: Path) -> Segmenter:
    """Loads a model of this package from a `.keras` file.

    Code that a file holds is never run, whatever Keras is told about unsafe files.

    Args:
        path: The file.

    Returns:
        The model, not compiled.

    Raises:
        ValueError: If the file is damaged, holds another model, or its weights are not
            exactly those of its model.
    """
    return _read("source", path, lambda: _load(path))


def load_weights_h5(path: Path, model: Segmenter) -> tuple[str, ...]:
    """Sets a model's weights to those of a `.weights.h5` file.

    If the file's model has another number of classes, the classifier is left out.

    Args:
        path: The file.
        model: A model of the same architecture, which is set whole or not at all.

    Returns:
        Paths of the weights that were left as they are.

    Raises:
        ValueError: If the file is damaged, or its weights are not exactly those of the
            model.
    """

    def load() -> Segmenter:
        with open(path, "rb") as file:
            shapes = stored_shapes(file)
        classes = _classes_of(shapes, model)
        twin = model.with_classes(classes)
        _check_count(shapes, twin)
        twin.load_weights(path)
        return twin

    twin = _read("weights", path, load)
    return copy_weights(twin, model, classifier=twin.classes == model.classes)


def _classes_of(shapes: Shapes, model: Segmenter) -> int:
    """The number of classes with which the model would have arrays of these shapes."""
    stored = Counter(shapes.values())
    sides = {shape[-1] for shape in stored if shape}
    for classes in [model.classes, *sorted(sides)]:
        if Counter(_shapes_with(model, classes)) == stored:
            return classes
    return model.classes


def _shapes_with(model: Segmenter, classes: int) -> Iterator[tuple[int, ...]]:
    for weight in model.weights:
        shape = tuple(weight.shape)
        is_classifier = re.search(CLASSIFIER, weight.path)
        yield (*shape[:-1], classes) if is_classifier else shape


def _read(argument: str, path: Path, load: Callable[[], _Result]) -> _Result:
    try:
        with warnings.catch_warnings():
            # For some missing arrays Keras only warns; all are counted.
            warnings.filterwarnings("ignore", "Skipping nested container")
            return load()
    except Exception as error:
        # Keras raises whatever its archive reader meets; to a user all mean one thing.
        # Its longest messages end in what was wrong.
        reason = str(error).rpartition("Exception encountered:")[2] or repr(error)
        problem = textwrap.shorten(reason, 500, placeholder=" ...")
        raise ValueError(
            f"`{argument}` cannot be read as a Keras file ({problem}). "
            f"Received: {argument}={str(path)!r}"
        ) from error


def _load(path: Path) -> Segmenter:
    shapes = check_archive(path)
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    _check_count(shapes, model)
    return model


def _check_count(shapes: Shapes, model: keras.Model) -> None:
    # Keras ignores arrays too many, and fills some missing ones at random.
    if len(shapes) != len(model.weights):
        raise ValueError(
            f"it must hold the {len(model.weights)} arrays of its model's weights, "
            f"not {len(shapes)}"
        )
