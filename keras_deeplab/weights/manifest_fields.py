"""What each field of the manifest may hold."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from keras_deeplab import models
from keras_deeplab._class_names import CLASS_NAMES
from keras_deeplab.backbones import OUTPUT_STRIDES
from keras_deeplab.layers.preprocess import PREPROCESSINGS
from keras_deeplab.weights.converters import CONVERTERS
from keras_deeplab.weights.score import Score

# Checks a value as JSON has it, and returns it as a row holds it.
_Check = Callable[[Any], Any]

# As the model zoo writes them: "7.6MB".
_SIZE = re.compile(r"[0-9]+(\.[0-9]+)?MB")
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,99}")


def checked(fields: Any, table: Mapping[str, _Check]) -> dict[str, Any]:
    """Checks all fields of an object.

    Args:
        fields: What JSON holds.
        table: A check for every field there must be.

    Returns:
        The fields' values.

    Raises:
        ValueError: If a field is missing, unknown or wrong; the message names it.
    """
    if not isinstance(fields, dict) or fields.keys() != table.keys():
        found = sorted(fields) if isinstance(fields, dict) else fields
        raise ValueError(
            f"must hold the fields {', '.join(table)}. Received: {found!r}"
        )
    values = {}
    for name, check in table.items():
        try:
            values[name] = check(fields[name])
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"`{name}` {error}. Received: {name}={fields[name]!r}"
            ) from error
    return values


def _is(kind: Any, words: str) -> _Check:
    def check(value: Any) -> Any:
        # To Python, true is a 1.
        if not isinstance(value, kind) or isinstance(value, bool) or value == "":
            raise ValueError(f"must be {words}")
        return value

    return check


def _or_null(check: _Check) -> _Check:
    return lambda value: None if value is None else check(value)


def _one_of(known: Any) -> _Check:
    def check(value: Any) -> Any:
        # Lists and the like cannot be looked up; numbers of another type are equal.
        if not isinstance(value, (str, int)) or value not in known:
            raise ValueError(f"must be one of {', '.join(map(str, known))}")
        return value

    return check


def _each(check: _Check, words: str) -> _Check:
    listed = _is(list, words)
    return lambda value: tuple(check(item) for item in listed(value))


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("must be a name of small letters, digits and underscores")
    return value


def _size(value: Any) -> str:
    if not isinstance(value, str) or not _SIZE.fullmatch(value):
        raise ValueError("must be a number of megabytes, such as 7.6MB")
    return value


def _arguments(value: Any) -> Mapping[str, Any]:
    found = _is(dict, "an object")(value)
    return MappingProxyType(
        {k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}
    )


def _window(value: Any) -> tuple[int, int]:
    found = _each(_is(int, "a number"), "two sizes")(value)
    if len(found) != 2 or min(found) < 1:
        raise ValueError("must be two positive sizes")
    return found[0], found[1]


def _scores(table: Mapping[str, _Check]) -> _Check:
    score = _each(lambda value: Score(**checked(value, table)), "a list of scores")
    return lambda value: _or_null(score)(value) or ()


def _percent(value: Any) -> float:
    found: float = _is((int, float), "a number")(value)
    # Not a number is in no range.
    if not 0 <= found <= 100:
        raise ValueError("must be a number of 0 to 100")
    return found


_TEXT = _is(str, "a text")
_SCORE: Mapping[str, _Check] = MappingProxyType(
    {
        "metric": _TEXT,
        "value": _percent,
        "data": _TEXT,
        "protocol": _TEXT,
    }
)
ROW_FIELDS: Mapping[str, _Check] = MappingProxyType(
    {
        "name": _name,
        "dataset": _name,
        "model": _or_null(_one_of(models.MODELS_BY_NAME)),
        "arguments": _arguments,
        "file": _TEXT,
        "urls": _each(_TEXT, "a list of addresses"),
        "bytes": _or_null(_is(int, "a number of bytes")),
        "stated_size": _or_null(_size),
        "digest": _or_null(_TEXT),
        "algorithm": _or_null(_TEXT),
        "licence": _TEXT,
        "origin": _TEXT,
        "converter": _one_of(CONVERTERS),
        "preprocessing": _one_of(PREPROCESSINGS),
        "class_names": _or_null(_one_of(CLASS_NAMES)),
        "output_stride": _or_null(_one_of(OUTPUT_STRIDES)),
        "image_pooling_window": _or_null(_window),
        "published": _scores({**_SCORE, "source": _TEXT}),
        "measured": _scores({**_SCORE, "command": _TEXT}),
    }
)
