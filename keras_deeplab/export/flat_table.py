"""Tables of a flatbuffer, written by the numbers of their slots."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

_OFFSET_BYTES = 4


class Value(Protocol):
    """What stands in a slot of a table."""

    def write(self, builder: Any) -> int:
        """Writes what lies outside the table and returns what goes into the slot."""

    def put(self, builder: Any, slot: int, written: int) -> None:
        """Puts what `write` returned into a slot of the table that is open."""


class _ByOffset:
    def put(self, builder: Any, slot: int, written: int) -> None:
        builder.PrependUOffsetTRelativeSlot(slot, written, 0)


@dataclasses.dataclass(frozen=True)
class Number:
    """An integer of one byte, such as an enum's or a union's type."""

    value: int

    def write(self, builder: Any) -> int:
        return self.value

    def put(self, builder: Any, slot: int, written: int) -> None:
        builder.PrependInt8Slot(slot, written, 0)


@dataclasses.dataclass(frozen=True)
class Text(_ByOffset):
    """A string."""

    value: str

    def write(self, builder: Any) -> int:
        return builder.CreateString(self.value)


@dataclasses.dataclass(frozen=True)
class Floats(_ByOffset):
    """A vector of float32."""

    values: Sequence[float]

    def write(self, builder: Any) -> int:
        return builder.CreateNumpyVector(np.asarray(self.values, "float32"))


@dataclasses.dataclass(frozen=True)
class Bytes(_ByOffset):
    """A vector of bytes that holds a flatbuffer of its own."""

    value: bytes

    def write(self, builder: Any) -> int:
        # Aligned as a file is, or what lies inside could not be read in place.
        builder.Prep(16, len(self.value))
        return builder.CreateByteVector(self.value)


@dataclasses.dataclass(frozen=True)
class Tables(_ByOffset):
    """A vector of tables."""

    tables: Sequence[Table]

    def write(self, builder: Any) -> int:
        written = [table.write(builder) for table in self.tables]
        builder.StartVector(_OFFSET_BYTES, len(written), _OFFSET_BYTES)
        for offset in reversed(written):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()


@dataclasses.dataclass(frozen=True)
class Table(_ByOffset):
    """A table: what stands in each of its slots."""

    slots: Mapping[int, Value]

    def write(self, builder: Any) -> int:
        written = {slot: value.write(builder) for slot, value in self.slots.items()}
        builder.StartObject(max(self.slots) + 1)
        for slot, value in self.slots.items():
            value.put(builder, slot, written[slot])
        return builder.EndObject()
