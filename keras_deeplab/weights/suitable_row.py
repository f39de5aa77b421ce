"""Which weights of the manifest suit a model."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_deeplab.backbones import BACKBONES, build_backbone, canonical_name
from keras_deeplab.models import MODELS_BY_NAME, Segmenter
from keras_deeplab.weights.manifest import manifest
from keras_deeplab.weights.weights_row import WeightsRow

# Arguments of the manifest that may differ without a weight losing its place.
_FREE = {"crop_size", "epsilon"}
# Branches of the pyramid whose rates follow from the output stride.
_BRANCHES = 3


def find_suitable(
    cls: type[Segmenter],
    rows: Sequence[WeightsRow],
    source: str,
    given: Mapping[str, Any],
) -> WeightsRow:
    """Finds the first row that suits a model.

    Args:
        cls: The model's class.
        rows: Rows of one name or of one data set.
        source: That name.
        given: Arguments that were given to the model's constructor.

    Returns:
        The row, one of the class's default backbone if none is asked for and there is
        one.

    Raises:
        ValueError: If none suits; the message says what each of them is of.
    """
    own = _defaults(cls).get("backbone")
    asked = dict(given)
    if rows[0].dataset == source and any(row.model is None for row in rows):
        # Backbones alone do not say which one the model is to have.
        asked = {"backbone": own, **asked}
    fitting = [row for row in rows if not _conflict(cls, row, asked)]
    fitting.sort(key=lambda row: row.backbone != own)
    if fitting:
        return fitting[0]
    reasons = "; ".join(f"{row.name} {_conflict(cls, row, asked)}" for row in rows)
    raise ValueError(
        f"`weights` has nothing for these arguments of {cls.__name__}: {reasons}. "
        f"There are: {listed(cls, given)}. Received: weights={source!r}"
    )


def check_fits(row: WeightsRow, model: Segmenter, given: Mapping[str, Any]) -> None:
    """Checks that a model has the weights of a row, before anything is downloaded.

    Args:
        row: What `find_suitable` found.
        model: The model that was built.
        given: Arguments that were given to its constructor.

    Raises:
        ValueError: If it has others; the message names the first.
    """
    # These were compared already, or change no weight but the classifier's.
    if given.keys() <= {*row.arguments, *_harmless()}:
        return
    found = {weight.path: tuple(weight.shape) for weight in model.weights}
    for weight in _skeleton(row, model.classes).weights:
        shape = tuple(weight.shape)
        if found.get(weight.path) != shape:
            raise ValueError(
                f"`weights` does not fit these arguments of {type(model).__name__}: "
                f"its weight {weight.path!r} has the shape {shape}, in the model "
                f"{found.get(weight.path)}. Received: weights={row.name!r}"
            )


def listed(cls: type[Segmenter], given: Mapping[str, Any]) -> str:
    """Names all weights that suit a model; if none do, those that suit its class."""
    rows = [row for row in manifest().values() if _is_of(cls, row)]
    suited = [row for row in rows if not _conflict(cls, row, given)]
    return ", ".join(f"{row.name} ({row.dataset})" for row in suited or rows)


def _is_of(cls: type[Segmenter], row: WeightsRow) -> bool:
    names = {base.__name__ for base in cls.__mro__}
    return row.model in names or (row.model is None and row.backbone in cls.backbones)


def _conflict(cls: type[Segmenter], row: WeightsRow, given: Mapping[str, Any]) -> str:
    """Says how a row differs from what is asked for; nothing if it suits."""
    if not _is_of(cls, row):
        return f"is of {row.model or 'a backbone alone'}, {row.backbone}"
    defaults = _defaults(cls)
    if canonical_name(given.get("backbone", row.backbone)) != row.backbone:
        return f"has the backbone {row.backbone}"
    options = vars(BACKBONES[row.backbone])
    # Any head of one's own can stand on a backbone alone.
    known = {**options, **(defaults if row.model else {})}
    for name in (given.keys() & _telling() & known.keys()) - _FREE - {"backbone"}:
        expected = row.arguments.get(name, known[name])
        if _comparable(name, given[name]) != _comparable(name, expected):
            return f"has {name}={expected!r}"
    return ""


def _telling() -> set[str]:
    """Arguments in which rows of the manifest differ."""
    return {name for row in manifest().values() for name in row.arguments}


def _harmless() -> set[str]:
    common = inspect.signature(Segmenter.__init__).parameters
    return {*common, "dropout"}


def _comparable(name: str, value: Any) -> Any:
    # Weights fit any rates, but not any number of them.
    if name == "atrous_rates":
        return _BRANCHES if value is None else len(value)
    return tuple(value) if isinstance(value, list) else value


def _defaults(cls: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, Segmenter):
            parameters = inspect.signature(base.__init__).parameters
            found |= {name: p.default for name, p in parameters.items()}
    return {name: value for name, value in found.items() if value is not _EMPTY}


_EMPTY = inspect.Parameter.empty


def _skeleton(row: WeightsRow, classes: int) -> keras.Model:
    """A model of the same weights as the row's, but for its number of classes."""
    if row.model is None:
        names = row.arguments.keys() - {"backbone"}
        options = {name: row.arguments[name] for name in names}
        return build_backbone(row.backbone, **options)
    own = {**row.model_arguments(), "classes": classes, "class_names": None}
    return MODELS_BY_NAME[row.model](**own)
