"""Checks of layer arguments: one sentence form for every error."""

import math
import operator
from collections.abc import Hashable, Iterable
from typing import Any

import keras

from keras_deeplab._types import Rate, Shape


def positive(**value: Any) -> int:
    """Returns the value as an `int` of at least 1, or raises `ValueError`."""
    ((name, given),) = value.items()
    number = _index(given)
    if number is None or number < 1:
        raise ValueError(
            f"`{name}` must be an integer of at least 1. Received: {name}={given!r}"
        )
    return number


def fraction(**value: Any) -> float:
    """Returns the value as a `float` in `[0, 1)`, or raises `ValueError`."""
    ((name, given),) = value.items()
    if not isinstance(given, int | float) or not 0 <= given < 1:
        raise ValueError(f"`{name}` must lie in [0, 1). Received: {name}={given!r}")
    return float(given)


def not_negative(**value: Any) -> float:
    """Returns the value as a `float` of at least 0, or raises `ValueError`."""
    ((name, given),) = value.items()
    number = _finite(given)
    if number is None or number < 0:
        raise ValueError(f"`{name}` must be at least 0. Received: {name}={given!r}")
    return number


def above_zero(**value: Any) -> float:
    """Returns the value as a `float` above 0, or raises `ValueError`."""
    ((name, given),) = value.items()
    number = _finite(given)
    if number is None or number <= 0:
        raise ValueError(f"`{name}` must be above 0. Received: {name}={given!r}")
    return number


def within(least: float, greatest: float, /, **value: Any) -> float:
    """Returns the value as a `float` in `[least, greatest]`, or raises `ValueError`."""
    ((name, given),) = value.items()
    number = _finite(given)
    if number is None or not least <= number <= greatest:
        raise ValueError(
            f"`{name}` must lie in [{least}, {greatest}]. Received: {name}={given!r}"
        )
    return number


def numbers_of(**value: Any) -> list[float]:
    """Returns numbers of at least 0 as a list, or raises `ValueError`."""
    ((name, given),) = value.items()
    listed = isinstance(given, Iterable) and not isinstance(given, str)
    numbers = [_finite(each) for each in given] if listed else []
    if not numbers or any(number is None or number < 0 for number in numbers):
        raise ValueError(
            f"`{name}` must hold numbers of at least 0. Received: {name}={given!r}"
        )
    return numbers  # type: ignore[return-value]


def check_choice(choices: Iterable[Any], **values: Any) -> None:
    """Raises `ValueError` unless every value is one of the choices."""
    accepted = tuple(choices)
    for name, value in values.items():
        # No list or array is one, and an array has no truth to ask for.
        if not isinstance(value, Hashable) or value not in accepted:
            listed = ", ".join(repr(choice) for choice in accepted)
            raise ValueError(
                f"`{name}` must be one of {listed}. Received: {name}={value!r}"
            )


def rates_of(**value: Any) -> tuple[int, ...]:
    """Returns the rates as a tuple, or raises `ValueError` naming the argument."""
    ((name, given),) = value.items()
    rates = integers(given)
    if rates is None or any(rate < 1 for rate in rates):
        raise ValueError(
            f"`{name}` must hold integers of at least 1. Received: {name}={given!r}"
        )
    return rates


def size_of(**value: Any) -> tuple[int, int] | None:
    """Returns a height and a width from one or two integers, or `None` from `None`."""
    (given,) = value.values()
    return None if given is None else pair_of(**value)


def rate_of(**value: Any) -> Rate:
    """Returns one integer, or two where they differ, or raises `ValueError`."""
    rates = pair_of(**value)
    return rates[0] if rates[0] == rates[1] else rates


def pair_of(**value: Any) -> tuple[int, int]:
    """Returns a height and a width from one or two integers of at least 1."""
    ((name, given),) = value.items()
    pair = _pair(given)
    if pair is None:
        raise ValueError(
            f"`{name}` must be a positive integer, or one for the height and one "
            f"for the width. Received: {name}={given!r}"
        )
    return pair


def pairs_of(**value: Any) -> tuple[tuple[int, int], ...]:
    """Returns a pair for each of the values, which are as in `pair_of`."""
    ((name, given),) = value.items()
    pairs = [_pair(each) for each in given] if isinstance(given, Iterable) else [None]
    if None in pairs:
        raise ValueError(
            f"`{name}` must hold positive integers, or pairs of one for the height and "
            f"one for the width. Received: {name}={given!r}"
        )
    return tuple(pairs)  # type: ignore[arg-type]


def channels_of(input_shape: Shape) -> int:
    """Returns the channels of a feature map, or raises `ValueError`."""
    if len(input_shape) != 4 or input_shape[-1] is None:
        raise ValueError(
            "A feature map has the shape (batch, height, width, channels) with a known "
            f"number of channels. Received: input_shape={tuple(input_shape)}"
        )
    return input_shape[-1]


def check_channels_last() -> None:
    """Raises `ValueError` where Keras is set to put channels first."""
    found = keras.config.image_data_format()
    if found != "channels_last":
        raise ValueError(
            "keras_deeplab works with the image data format 'channels_last' only. Call "
            "`keras.config.set_image_data_format('channels_last')`. "
            f"Received: image_data_format={found!r}"
        )


def integers(values: Any) -> tuple[int, ...] | None:
    """Returns the values as integers, or `None` where they are none."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        return None
    found = tuple(map(_index, values))
    return None if None in found else found  # type: ignore[return-value]


def _index(value: Any) -> int | None:
    # NumPy's integers are welcome, and stored as Python's: a configuration is JSON.
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def _pair(value: Any) -> tuple[int, int] | None:
    side = _index(value)
    sides = integers(value) if side is None else (side, side)
    if sides is None or len(sides) != 2 or min(sides) < 1:
        return None
    return sides[0], sides[1]


def _finite(value: Any) -> float | None:
    if isinstance(value, bool | str):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
