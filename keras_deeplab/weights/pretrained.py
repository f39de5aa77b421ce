"""What the models' argument `weights` stands for: a name, a data set or a file."""

import os
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import keras

from keras_deeplab.backbones import canonical_name
from keras_deeplab.models import Segmenter, copy_weights
from keras_deeplab.models.pretrained import Start, register_finder
from keras_deeplab.weights.fetch_weights import nearest_names
from keras_deeplab.weights.keras_applications import load_keras_applications
from keras_deeplab.weights.keras_file import load_weights_h5
from keras_deeplab.weights.load_file import READERS, is_file_name, load_file
from keras_deeplab.weights.load_row import load_row
from keras_deeplab.weights.manifest import manifest
from keras_deeplab.weights.suitable_row import check_fits, find_suitable, listed
from keras_deeplab.weights.user_line import user_stacklevel
from keras_deeplab.weights.weights_row import WeightsRow

# What a file says of its model that a new model decides for itself.
_OWN = ("name", "dtype", "frozen", "synchronized")


@register_finder
def find_start(cls: type[Segmenter], weights: Any, given: Mapping[str, Any]) -> Start:
    """Finds what the argument `weights` of a model stands for.

    Args:
        cls: The model's class.
        weights: See the package `keras_deeplab.weights`.
        given: The other arguments that were given to the constructor.

    Returns:
        The arguments that the weights were made with, and how to load them.

    Raises:
        ValueError: If there are no such weights, or they do not suit the model. The
            message lists those that exist.
    """
    if not isinstance(weights, (str, os.PathLike)):
        raise _unknown(cls, weights, given)
    source = os.fspath(weights)
    rows = [row for row in manifest().values() if source in (row.name, row.dataset)]
    if rows:
        return _start_of_row(find_suitable(cls, rows, source, given), given)
    if source.endswith(".h5"):
        return _start_of_arrays(source)
    if is_file_name(source):
        return _start_of_file(cls, source, given)
    raise _unknown(cls, weights, given)


def _start_of_row(row: WeightsRow, given: Mapping[str, Any]) -> Start:
    arguments = row.model_arguments()
    part = "backbone" if row.model is None else _part_to_load(arguments, given)

    def load(model: keras.Model) -> None:
        check_fits(row, model, given)
        summary = load_row(row, model, part)
        if part == "all_but_logits":
            _say_kept(row.name, model, len(summary.kept))

    return Start(arguments=_suited(arguments, given), load=load)


def _start_of_file(
    cls: type[Segmenter], source: str, given: Mapping[str, Any]
) -> Start:
    try:
        trained = load_file(source)
    except ValueError as error:
        raise ValueError(
            f"`weights` cannot be loaded: {error}. Received: weights={source!r}"
        ) from error
    arguments = {k: v for k, v in trained.get_config().items() if k not in _OWN}
    backbone = canonical_name(given.get("backbone", trained.backbone))
    if not issubclass(cls, type(trained)) or backbone != trained.backbone:
        raise ValueError(
            f"`weights` is a file of {type(trained).__name__} on "
            f"{trained.backbone}, not of {cls.__name__} on {backbone}; "
            f"`keras_deeplab.load_model` loads it. Received: weights={source!r}"
        )
    part = _part_to_load(arguments, given)
    load = partial(_copy, trained, source=source, classifier=part == "all")
    return Start(arguments=_suited(arguments, given), load=load)


def _start_of_arrays(source: str) -> Start:
    """Of files that hold nothing but arrays, which cannot tell what they are of."""
    path = Path(source)

    def load(model: keras.Model) -> None:
        if not source.endswith(".weights.h5"):
            load_keras_applications(path, model)
        elif fresh := load_weights_h5(path, model):
            _say_kept(source, model, len(fresh))

    return Start(arguments={}, load=load)


def _copy(
    trained: keras.Model, model: keras.Model, *, source: str, classifier: bool
) -> None:
    try:
        fresh = copy_weights(trained, model, classifier=classifier)
    except ValueError as error:
        raise ValueError(
            f"`weights` does not fit this model: {error}. Received: weights={source!r}"
        ) from error
    if fresh:
        _say_kept(source, model, len(fresh))


def _part_to_load(arguments: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    same = given.get("classes", arguments["classes"]) == arguments["classes"]
    return "all" if same else "all_but_logits"


def _suited(arguments: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, without the names of classes where others are asked for."""
    others = "classes" in arguments and _part_to_load(arguments, given) != "all"
    return {k: v for k, v in arguments.items() if not (others and k == "class_names")}


def _say_kept(source: str, model: keras.Model, fresh: int) -> None:
    warnings.warn(
        f"{source} is of another number of classes: of the {len(model.weights)} "
        f"weights, all are kept but the {fresh} of the classifier, which starts anew "
        f"for {model.classes} classes.",
        stacklevel=user_stacklevel(),
    )


def _unknown(
    cls: type[Segmenter], weights: Any, given: Mapping[str, Any]
) -> ValueError:
    return ValueError(
        f"`weights` must be a file ({', '.join(READERS)} or .h5), or one of these, by "
        f"its own name or that of its data set: {listed(cls, given)}."
        f"{nearest_names(str(weights))} Received: weights={weights!r}"
    )
