"""What `DenseCRF` can learn, and the labels' compatibility."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers.crf_presets import CRFParameters

Array = np.ndarray[Any, Any]
Compatibility = str | list[float] | list[list[float]]

# A weight of zero is softplus of minus infinity, which never moves again.
_SMALLEST = 1e-3
# Of a width, as a share of its first value.
_NARROWEST = 2e-2


def compatibility_of(**value: Any) -> Compatibility:
    """Returns `"potts"` or lists of numbers, or raises `ValueError`."""
    ((name, given),) = value.items()
    if isinstance(given, str) and given == "potts":
        return "potts"
    array = None if isinstance(given, str) else _array(given)
    if array is None or array.ndim not in (1, 2) or len(set(array.shape)) != 1:
        raise ValueError(
            f"`{name}` must be 'potts', a number for each label, or a square matrix of "
            f"numbers. Received: {name}={given!r}"
        )
    return array.tolist()


def compatibility_matrix(compatibility: Compatibility, classes: int) -> Array | None:
    """Returns what a label's mass adds to the score of each label.

    Args:
        compatibility: As `compatibility_of` returns it.
        classes: Number of labels.

    Returns:
        float32 `(classes, classes)`, from columns to rows; `None` for Potts, of which
        only the identity does not cancel in the softmax.

    Raises:
        ValueError: If the compatibility is made for another number of labels.
    """
    if isinstance(compatibility, str):
        return None
    array = np.array(compatibility, "float32")
    if len(array) != classes:
        raise ValueError(
            f"`compatibility` must have a row for each of the {classes} labels. "
            f"Received: compatibility of {len(array)}"
        )
    return np.diag(array) if array.ndim == 1 else -array


def add_weights(layer: keras.layers.Layer, start: CRFParameters) -> dict[str, Tensor]:
    """Adds a weight of the layer for each weight and width of the CRF.

    Args:
        layer: Whose weights they are.
        start: The first values.

    Returns:
        The weights by name of the parameter; see `values_of`.
    """
    return {
        name: layer.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(
                _inverse_softplus(value / unit - _floor(name))
            ),
            dtype="float32",
            # Half precision is not enough, and not what the kernels are made in.
            autocast=False,
            name=name,
        )
        for name, (value, unit) in _units(start).items()
    }


def values_of(weights: dict[str, Tensor], start: CRFParameters) -> dict[str, Tensor]:
    """Returns positive parameters from the weights of `add_weights`."""
    return {
        name: unit * (_floor(name) + ops.softplus(ops.convert_to_tensor(weights[name])))
        for name, (_, unit) in _units(start).items()
    }


def _units(start: CRFParameters) -> dict[str, tuple[float, float]]:
    # In units of the first value, so that one learning rate suits a width of 80
    # pixels and a weight of 3.
    values = dataclasses.asdict(start)
    values.pop("iterations")
    return {name: (value, value or 1.0) for name, value in values.items()}


def _floor(name: str) -> float:
    # A width of zero divides by it.
    return _NARROWEST if name.startswith("theta") else 0.0


def _inverse_softplus(value: float) -> float:
    return float(np.log(np.expm1(max(value, _SMALLEST))))


def _array(given: Any) -> Array | None:
    if not isinstance(given, Iterable):
        return None
    try:
        array = np.array(given, "float64")
    except (TypeError, ValueError):
        return None
    return array if array.size and np.isfinite(array).all() else None
