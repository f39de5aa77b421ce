"""A map that comes in bands of rows, of which only a few are held."""

from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class RowStream:
    """Takes rows from bands that come one below the other.

    Args:
        bands: Arrays of one shape but for their first axis, the rows.
    """

    def __init__(self, bands: Iterator[Array]) -> None:
        self._bands = bands
        self._held = next(bands)
        self._top = 0

    def take(self, first: int, end: int) -> Array:
        """Returns the rows `first` to `end`, and forgets those above.

        Args:
            first: First row, no smaller than at the call before.
            end: The row after the last.

        Returns:
            The rows, which must not be changed.
        """
        while self._top + len(self._held) < end:
            rest = self._held[max(0, first - self._top) :]
            self._top += len(self._held) - len(rest)
            band = next(self._bands)
            self._held = np.concatenate([rest, band]) if len(rest) else band
        return self._held[first - self._top : end - self._top]
