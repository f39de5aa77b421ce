"""From the values stored in masks to labels, or to an error."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_deeplab.data.listing import listed

# Masks hold 8 or 16 bits.
_VALUES = 1 << 16


@dataclass(frozen=True)
class LabelTable:
    """What the values stored in masks mean.

    Args:
        classes: Number of classes.
        ignore_label: Label that may occur beside the classes, or `None`.
        label_map: Label of each stored value, a class or `ignore_label`. By default a
            value is its own label.

    Raises:
        ValueError: If `classes`, `ignore_label` or a label of `label_map` is out of
            range.
    """

    classes: int
    ignore_label: int | None = 255
    label_map: Mapping[int, int] | None = None

    def __post_init__(self) -> None:
        if self.classes < 1:
            raise ValueError(
                f"`classes` must be at least 1. Received: classes={self.classes}"
            )
        ignored = self.ignore_label
        if ignored is not None and not self.classes <= ignored < _VALUES:
            raise ValueError(
                f"`ignore_label` must be above the classes, {self.classes}.."
                f"{_VALUES - 1}, or `None`. Received: ignore_label={ignored}"
            )
        stored, labels = zip(*self.entries.items(), strict=True)
        strange = set(labels) - {*range(self.classes), ignored}
        if strange or min(stored) < 0 or max(stored) >= _VALUES:
            raise ValueError(
                f"`label_map` must lead from 0..{_VALUES - 1} to 0.."
                f"{self.classes - 1} or `ignore_label`. "
                f"Received: label_map={dict(self.label_map or {})}"
            )

    def labels_of(self, stored: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Turns stored values into labels.

        Args:
            stored: uint8 or uint16, of any shape.

        Returns:
            Labels of the same shape, of `dtype`.

        Raises:
            ValueError: If a value is no label.
        """
        if self.label_map is None:
            # To compare takes a fifth of the time that it takes to look up.
            labels = stored
            known = (stored < self.classes) | (stored == self.ignore_label)
        else:
            labels = self._lookup.take(stored)
            known = labels >= 0
        if not known.all():
            strange = np.unique(stored[~known]).tolist()
            raise ValueError(f"holds {listed(strange)}, but {self._accepted}")
        return labels.astype(self.dtype, copy=False)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that holds every label: uint8, or uint16 where one needs it."""
        return np.min_scalar_type(max(self.classes - 1, self.ignore_label or 0))

    @property
    def _accepted(self) -> str:
        if self.label_map is not None:
            return f"the label map knows {listed(self.label_map)}"
        also = "" if self.ignore_label is None else f", and {self.ignore_label} is"
        return f"labels go from 0 to {self.classes - 1}{also and also + ' ignored'}"

    @property
    def entries(self) -> Mapping[int, int]:
        """Label of each stored value that is one."""
        if self.label_map is not None:
            return self.label_map
        ignored = [] if self.ignore_label is None else [self.ignore_label]
        return {label: label for label in (*range(self.classes), *ignored)}

    @functools.cached_property
    def _lookup(self) -> np.ndarray[Any, Any]:
        stored, labels = zip(*self.entries.items(), strict=True)
        table = np.full(_VALUES, -1, "int32")
        table[list(stored)] = labels
        # Half as much to read.
        return table.astype("int16") if max(labels) < 1 << 15 else table
