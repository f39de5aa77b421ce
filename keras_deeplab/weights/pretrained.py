"""What the models' argument `weights` stands for: a name, a data set or a file."""

import inspect
import os
import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import keras

from keras_deeplab.backbones import BACKBONES, canonical_name
from keras_deeplab.models import copy_weights
from keras_deeplab.models.pretrained import Start, register_finder
from keras_deeplab.weights.converters import CONVERTERS
from keras_deeplab.weights.fetch_weights import fetch_row
from keras_deeplab.weights.keras_file import load_weights_h5
from keras_deeplab.weights.load_file import READERS, load_file
from keras_deeplab.weights.manifest import manifest
from keras_deeplab.weights.weights_row import WeightsRow

# What may differ from the training without a weight losing its place or its meaning.
_FREE = {"output_stride", "pooling_strides", "rate", "dropout"}
# Branches of the pyramid whose rates follow from the output stride.
_BRANCHES = 3


@register_finder
def find_start(cls: type, weights: Any, given: Mapping[str, Any]) -> Start:
    """Finds what the argument `weights` of a model stands for.

    Arguments of the model that are not given are those the weights were made with. For
    another number of `classes` all weights are kept but the classifier's, and a
    `UserWarning` says so. Weights of a backbone alone leave the head as it starts.

    Args:
        cls: The model's class.
        weights: Name of weights, as `keras-deeplab weights list` shows them; name of
            their data set, for the first of them that suit the model; or a file that
            `load_model` takes, or one of this model's weights, `.weights.h5`.
        given: The other arguments that were given to the constructor.

    Returns:
        The arguments that the weights were made with, and how to load them.

    Raises:
        ValueError: If there are no such weights, or they do not suit the model. The
            message lists those that exist.
        DownloadError: On loading, if the file cannot be had.
    """
    source = os.fspath(weights)
    rows = [row for row in manifest().values() if source in (row.name, row.dataset)]
    if rows:
        return _start_of_row(_suitable(cls, rows, source, given), given)
    if source.endswith(".weights.h5"):
        return Start(arguments={}, load=partial(load_weights_h5, Path(source)))
    if os.path.isfile(source) or source.endswith(tuple(READERS)):
        return _start_of_file(cls, source, given)
    raise _unsuitable(cls, source, "neither known nor a file")


def _suitable(
    cls: type, rows: Iterable[WeightsRow], source: str, given: Mapping[str, Any]
) -> WeightsRow:
    """The first row that suits, on the class's own backbone if none is asked for."""
    own = _defaults(cls)["backbone"]
    fitting = [row for row in rows if _suits(cls, row, given)]
    fitting.sort(key=lambda row: row.backbone != own)
    if not fitting:
        raise _unsuitable(cls, source, "not there for these arguments")
    return fitting[0]


def _suits(cls: type, row: WeightsRow, given: Mapping[str, Any]) -> bool:
    names = {base.__name__ for base in cls.__mro__}
    if row.model is not None and row.model not in names:
        return False
    defaults = _defaults(cls)
    asked = given if row.model else {"backbone": defaults["backbone"], **given}
    backbone = canonical_name(asked.get("backbone", row.backbone))
    if backbone != row.backbone:
        return False
    spec = BACKBONES[backbone]
    # A head of one's own can stand on any backbone.
    known = {} if row.model is None else defaults
    for name in (asked.keys() & (known.keys() | vars(spec).keys())) - _FREE:
        expected = row.arguments.get(name, known.get(name, getattr(spec, name, None)))
        same = _comparable(name, asked[name]) == _comparable(name, expected)
        if name != "backbone" and not same:
            return False
    return True


def _comparable(name: str, value: Any) -> Any:
    # Weights fit any rates, but not any number of them.
    if name == "atrous_rates" and value is None:
        return _BRANCHES
    if name == "atrous_rates" and isinstance(value, (list, tuple)):
        return len(value)
    return tuple(value) if isinstance(value, list) else value


def _defaults(cls: type) -> dict[str, Any]:
    parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _start_of_row(row: WeightsRow, given: Mapping[str, Any]) -> Start:
    arguments = row.model_arguments()
    part = "backbone" if row.model is None else _part(arguments, given)

    def load(model: keras.Model) -> None:
        path = fetch_row(row)
        try:
            summary = CONVERTERS[row.converter](path, model, part)
        except ValueError as error:
            raise ValueError(
                f"`weights` does not fit this model: {error}. "
                f"Received: weights={row.name!r}"
            ) from error
        if part == "all_but_logits":
            _say_kept(row.name, model, len(summary.kept))

    return Start(arguments=_of_classes(arguments, given), load=load)


def _start_of_file(cls: type, source: str, given: Mapping[str, Any]) -> Start:
    trained = load_file(source)
    if not issubclass(cls, type(trained)):
        raise ValueError(
            f"`weights` is a file of {type(trained).__name__}, not of {cls.__name__}; "
            f"`keras_deeplab.load_model` loads it. Received: weights={source!r}"
        )
    arguments = trained.get_config()
    for name in ("name", "frozen", "synchronized"):
        del arguments[name]
    part = _part(arguments, given)
    load = partial(_copy, trained, source=source, classifier=part == "all")
    return Start(arguments=_of_classes(arguments, given), load=load)


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


def _part(arguments: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    same = given.get("classes", arguments["classes"]) == arguments["classes"]
    return "all" if same else "all_but_logits"


def _of_classes(
    arguments: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments, without the names of classes where others are asked for."""
    keep = "classes" not in arguments or _part(arguments, given) == "all"
    return {k: v for k, v in arguments.items() if keep or k != "class_names"}


def _say_kept(source: str, model: keras.Model, fresh: int) -> None:
    warnings.warn(
        f"{source} predicts other classes: of the {len(model.weights)} weights, all "
        f"are kept but the {fresh} of the classifier, which starts anew for "
        f"{model.classes} classes.",
        stacklevel=4,
    )


def _unsuitable(cls: type, source: str, problem: str) -> ValueError:
    # Whatever its backbone, a class has the weights of its own name.
    rows = [
        row
        for row in manifest().values()
        if row.model == cls.__name__
        or (row.model is None and row.backbone in cls.backbones)  # type: ignore[attr-defined]
    ]
    listed = ", ".join(f"{row.name} ({row.dataset})" for row in rows)
    return ValueError(
        f"`weights` is {problem}. {cls.__name__} takes a file ("
        f"{', '.join(READERS)} or .weights.h5), or one of these, by its own name or "
        f"that of its data set: {listed}. Received: weights={source!r}"
    )
