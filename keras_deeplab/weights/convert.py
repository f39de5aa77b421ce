"""From official TensorFlow 1 files to our models: every variable is accounted for."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras

from keras_deeplab.models import Segmenter
from keras_deeplab.weights.conversion_summary import ConversionSummary
from keras_deeplab.weights.frozen_graph import read_frozen_graph
from keras_deeplab.weights.official_model import official_arguments
from keras_deeplab.weights.official_names import (
    backbone_scope,
    gate_factor,
    is_of_classifier,
    is_of_training,
    logits_scopes,
    official_names,
)
from keras_deeplab.weights.official_variables import OfficialVariables
from keras_deeplab.weights.tf1_checkpoint import read_tf1_checkpoint


def read_official(source: str | os.PathLike[str]) -> OfficialVariables:
    """Opens an official TensorFlow 1 file.

    Args:
        source: A frozen graph, `.pb`, or the prefix of a checkpoint, `model.ckpt`.

    Returns:
        The variables.

    Raises:
        ValueError: If the file cannot be read.
    """
    path = Path(source)
    if path.suffix.lower() == ".pb":
        return read_frozen_graph(path)
    return read_tf1_checkpoint(path)


def build_official(source: str | os.PathLike[str], **arguments: Any) -> Segmenter:
    """Builds the model that an official file is of, with its weights.

    The architecture is read from the variables' names and shapes. What these do not
    tell, a frozen graph does: output stride and crop size. For a checkpoint they are
    those of the official evaluation.

    Args:
        source: See `read_official`.
        **arguments: Arguments of the model that override those found, for example
            `output_stride`, `crop_size` or `class_names`.

    Returns:
        The model.

    Raises:
        ValueError: If the file cannot be read or is of no model that this package has.
    """
    return convert_official(source, **arguments)[0]


def convert_official(
    source: str | os.PathLike[str], **arguments: Any
) -> tuple[Segmenter, ConversionSummary]:
    """Does what `build_official` does, and also tells what became of the variables."""
    variables = read_official(source)
    cls, found = official_arguments(variables)
    model = cls(**{**found, **arguments})
    return model, assign_official(variables, model)


def load_official(
    source: str | os.PathLike[str], model: keras.Model, *, part: str = "all"
) -> ConversionSummary:
    """Sets a model's weights to those of an official file.

    Args:
        source: See `read_official`.
        model: See `official_names`.
        part: Which weights to set: `"all"`; `"all_but_logits"`, to predict other
            classes; or `"backbone"`, which also takes ImageNet checkpoints.

    Returns:
        Which variables were used and which were skipped.

    Raises:
        ValueError: If the file cannot be read; if a variable is missing, has no place,
            or has another shape than the model's weight. The message names it.
    """
    return assign_official(read_official(source), model, part=part)


def assign_official(
    variables: OfficialVariables, model: keras.Model, *, part: str = "all"
) -> ConversionSummary:
    """Does what `load_official` does, with variables already opened."""
    if part not in _PARTS:
        raise ValueError(f"`part` must be one of {tuple(_PARTS)}. Received: {part=}")
    if not isinstance(model, Segmenter):
        part = "backbone"
    wanted, may_skip = _PARTS[part]
    names = official_names(model)
    weights = {names[weight.path]: weight for weight in model.weights}
    used = {name: weight for name, weight in weights.items() if wanted(model, name)}
    skipped = [
        name
        for name in variables.shapes.keys() - used.keys()
        if is_of_training(name) or may_skip(model, name)
    ]
    variables.check(used, skipped)
    # All is read and checked before the first weight changes.
    values = {name: variables.value(name) for name in used}
    for name, weight in used.items():
        weight.assign(values[name] * gate_factor(model, name))
    return ConversionSummary(
        source=variables.source,
        used=tuple(used),
        skipped=tuple(sorted(skipped)),
        kept=tuple(name for name in weights if name not in used),
    )


def _of_backbone(model: keras.Model, name: str) -> bool:
    return name.startswith(backbone_scope(model)) and not is_of_classifier(name)


def _of_logits(model: keras.Model, name: str) -> bool:
    return name.startswith(logits_scopes(model))


def _of_any(model: keras.Model, name: str) -> bool:
    return True


def _not(test: Callable[[keras.Model, str], bool]) -> Any:
    return lambda model, name: not test(model, name)


# Which weights are wanted, and which variables may be left over.
_PARTS: Mapping[str, tuple[Any, Any]] = MappingProxyType(
    {
        "all": (_of_any, _not(_of_any)),
        "all_but_logits": (_not(_of_logits), _of_logits),
        "backbone": (_of_backbone, _not(_of_backbone)),
    }
)
