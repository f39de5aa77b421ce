"""The index of a TensorFlow checkpoint: names and shapes of its variables.

TensorFlow's own reader ends the process on some damaged indexes. This one raises, and
lets only what it has understood in whole through to the other.

The index is a sorted table: blocks of entries, a block that indexes them, and a footer
that points to it. Each value is a protocol buffer (`BundleEntryProto`).
"""

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
# After a block: its compression (none, always) and its checksum.
_TRAILER = 5
_MAX_BYTES = 2**26
_MAX_RANK = 4
_MAX_FIELD = 2**29 - 1

# Fields of the protocol buffers.
_SHAPE, _BYTES, _SLICES = 2, 5, 7
_DIM, _SIDE = 2, 1

Fields = list[tuple[int, int | bytes]]


class CheckpointIndex(NamedTuple):
    """Shapes of the variables by name, their bytes in all, and their raw entries."""

    shapes: dict[str, tuple[int, ...]]
    size: int
    entries: dict[str, bytes]


def read_index(index: bytes) -> CheckpointIndex:
    """Reads names, shapes and sizes of all variables.

    Args:
        index: Contents of the index file.

    Returns:
        The index.

    Raises:
        ValueError: If the index is damaged, or a variable is saved in parts.
    """
    if not _FOOTER <= len(index) <= _MAX_BYTES:
        raise ValueError("the index has no usable size")
    try:
        raw = {key.decode(): entry for key, entry in _variables(index)}
        entries = {name: list(_fields(entry)) for name, entry in raw.items()}
        shapes = {name: _shape(name, entry) for name, entry in entries.items()}
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"the index is damaged ({error})") from error
    size = sum(_number(entry, _BYTES) for entry in entries.values())
    return CheckpointIndex(shapes, size, raw)


def _variables(index: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = index[-_FOOTER:]
    if struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ValueError("the index is no table")
    # The first handle is of a block of meta data, which stays empty.
    _, position = _handle(footer, 0)
    handle, _ = _handle(footer, position)
    for _, value in _entries(_block(index, handle)):
        handle, _ = _handle(value, 0)
        for key, entry in _entries(_block(index, handle)):
            # The empty key is the header's.
            if key:
                yield key, entry


def _handle(data: bytes, position: int) -> tuple[tuple[int, int], int]:
    offset, position = _varint(data, position)
    size, position = _varint(data, position)
    return (offset, size), position


def _block(index: bytes, handle: tuple[int, int]) -> bytes:
    offset, size = handle
    if offset + size + _TRAILER > len(index) - _FOOTER or index[offset + size] != 0:
        raise ValueError("a block of the index is damaged")
    block = index[offset : offset + size]
    # The block ends with the positions where keys start anew, and their number.
    (restarts,) = struct.unpack("<I", block[-4:])
    end = size - 4 * (restarts + 1)
    if end < 0:
        raise ValueError("a block of the index is damaged")
    return block[:end]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values; a key is stored as what differs from the one before."""
    key, position = b"", 0
    while position < len(block):
        shared, position = _varint(block, position)
        rest, position = _varint(block, position)
        size, position = _varint(block, position)
        if shared > len(key) or position + rest + size > len(block):
            raise ValueError("an entry of the index is damaged")
        key = key[:shared] + block[position : position + rest]
        position += rest
        yield key, block[position : position + size]
        position += size


def _shape(name: str, entry: Fields) -> tuple[int, ...]:
    if any(number == _SLICES for number, _ in entry):
        raise ValueError(f"variable {name!r} is saved in parts")
    sides = tuple(
        _number(list(_fields(dim)), _SIDE)
        for shape in _messages(entry, _SHAPE)
        for dim in _messages(list(_fields(shape)), _DIM)
    )
    # Negative numbers are stored as very large ones; no number has less than a byte.
    if len(sides) > _MAX_RANK or math.prod(sides) > _number(entry, _BYTES):
        raise ValueError(f"variable {name!r} has no usable shape")
    return sides


def _messages(fields: Fields, number: int) -> list[bytes]:
    return [
        value for found, value in fields if found == number and isinstance(value, bytes)
    ]


def _number(fields: Fields, number: int) -> int:
    """The last value of a field; 0 is left out of a file."""
    values = [
        value for found, value in fields if found == number and isinstance(value, int)
    ]
    return values[-1] if values else 0


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of a protocol buffer's fields."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if not 0 < number <= _MAX_FIELD:
            raise ValueError("an entry of the index is damaged")
        if kind == 0:
            value, position = _varint(message, position)
            yield number, value
            continue
        size = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            size, position = _varint(message, position)
        if size is None or position + size > len(message):
            raise ValueError("an entry of the index is damaged")
        yield number, message[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number of the index is damaged")
