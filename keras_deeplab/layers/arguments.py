"""Checks of layer arguments: one sentence form for every error."""

from collections.abc import Iterable
from typing import Any

import keras

from keras_deeplab._types import Shape


def check_positive(**values: int | None) -> None:
    """Raises `ValueError` unless every value is an integer of at least 1."""
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(
                f"`{name}` must be an integer of at least 1. Received: {name}={value!r}"
            )


def check_fraction(**values: float) -> None:
    """Raises `ValueError` unless every value lies in `[0, 1)`."""
    for name, value in values.items():
        if not 0 <= value < 1:
            raise ValueError(f"`{name}` must lie in [0, 1). Received: {name}={value!r}")


def check_choice(choices: Iterable[Any], **values: Any) -> None:
    """Raises `ValueError` unless every value is one of the choices."""
    accepted = tuple(choices)
    for name, value in values.items():
        if value not in accepted:
            listed = ", ".join(repr(choice) for choice in accepted)
            raise ValueError(
                f"`{name}` must be one of {listed}. Received: {name}={value!r}"
            )


def rates_of(**values: Iterable[int]) -> tuple[int, ...]:
    """Returns the rates as a tuple, or raises `ValueError` naming the argument."""
    ((name, rates),) = values.items()
    checked = tuple(rates)
    for rate in checked:
        if not isinstance(rate, int) or isinstance(rate, bool) or rate < 1:
            raise ValueError(
                f"`{name}` must hold integers of at least 1. Received: {name}={rates!r}"
            )
    return checked


def size_of(**values: int | Iterable[int] | None) -> tuple[int, int] | None:
    """Returns a height and a width from one or two integers, or `None` from `None`."""
    ((name, value),) = values.items()
    if value is None:
        return None
    sides = (value, value) if isinstance(value, int) else tuple(value)
    if len(sides) != 2 or any(
        not isinstance(n, int) or isinstance(n, bool) or n < 1 for n in sides
    ):
        raise ValueError(
            f"`{name}` must be a positive integer, or a height and a width. "
            f"Received: {name}={value!r}"
        )
    return sides


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
