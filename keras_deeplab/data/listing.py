"""Lists inside error messages."""

from collections.abc import Iterable
from typing import Any

_SHOWN = 5


def listed(values: Iterable[Any]) -> str:
    """Names the first few values, in order, and counts the others."""
    ordered = sorted(values)
    more = len(ordered) - _SHOWN
    shown = ", ".join(map(str, ordered[:_SHOWN]))
    return f"{shown} and {more} more" if more > 0 else shown
