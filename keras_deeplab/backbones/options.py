"""Options of a backbone: fields of its row, of the kind that the row holds."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from keras_deeplab.layers import arguments


def checked_option(name: str, value: Any, example: Any, default: Any) -> Any:
    """Returns a field's new value as the row holds it: what comes from JSON too.

    Args:
        name: Name of the field.
        value: Its new value.
        example: What the row holds.
        default: What a row holds that says nothing: where that is `None`, so may it be.

    Returns:
        The value, of plain Python.

    Raises:
        ValueError: If it is of another kind.
    """
    if value is None and default is None:
        return None
    kind = next(kind for kind in _KINDS if isinstance(example, kind))
    accepted, convert = _KINDS[kind]
    found = convert(value)
    if found is None:
        raise ValueError(f"`{name}` must be {accepted}. Received: {name}={value!r}")
    return found


def _counts(value: Any) -> tuple[int, ...] | None:
    found = arguments.integers(value)
    return None if found is None or min(found, default=0) < 0 else found


def _count(value: Any) -> int | None:
    found = _counts([value])
    return found[0] if found else None


def _number(value: Any) -> float | None:
    try:
        return arguments.not_negative(value=value)
    except ValueError:
        return None


def _instance(kind: type) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, kind) else None


# The first that fits: `True` is an integer too. A row without an integer has `None`.
_KINDS: Mapping[type, tuple[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        bool: ("`True` or `False`", _instance(bool)),
        str: ("a string", _instance(str)),
        float: ("a number of at least 0", _number),
        tuple: ("integers of at least 0", _counts),
        object: ("an integer of at least 0", _count),
    }
)
