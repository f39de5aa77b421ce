"""Changes to files, at random: bytes, numbers, JSON values, archives."""

import json
import random
from collections.abc import Callable
from typing import Any

from tests.weights.zip_members import archived, members

_BYTES = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)
_NUMBERS = (0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**60, 2**63 - 1, 2**64 - 1)

# Changes a file in place; returns how many bytes of it are others now.
Change = Callable[[bytearray, random.Random], int]


def changed(whole: bytes, chance: random.Random) -> tuple[bytes, int]:
    """A file with one change or a few, and how many of its bytes were replaced."""
    data = bytearray(whole)
    count = chance.choice((1, 1, 1, 2, 4))
    replaced = sum(chance.choice(CHANGES)(data, chance) for _ in range(count))
    return bytes(data), replaced


def _flip(data: bytearray, chance: random.Random) -> int:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return 1


def _put(data: bytearray, chance: random.Random) -> int:
    if data:
        data[chance.randrange(len(data))] = chance.choice(_BYTES)
    return 1


def _number(data: bytearray, chance: random.Random) -> int:
    size = chance.choice((2, 4, 8))
    at = chance.randrange(max(1, len(data) - size))
    value = chance.choice(_NUMBERS) % 2 ** (8 * size)
    data[at : at + size] = value.to_bytes(size, "little")[: len(data) - at]
    return size


def _copy(data: bytearray, chance: random.Random) -> int:
    size = min(chance.randrange(1, 64), len(data) // 2)
    source, target = (chance.randrange(len(data) - size + 1) for _ in range(2))
    data[target : target + size] = data[source : source + size]
    return size


def _cut(data: bytearray, chance: random.Random) -> int:
    del data[chance.randrange(len(data) + 1) :]
    return 0


def _extend(data: bytearray, chance: random.Random) -> int:
    data += chance.randbytes(chance.randrange(1, 100))
    return 0


CHANGES: tuple[Change, ...] = (_flip, _flip, _put, _put, _number, _copy, _cut, _extend)
KEEPING_LENGTH: tuple[Change, ...] = (_flip, _put, _number, _copy)


# JSON.

VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**9,
    10**30,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "a" * 10_000,
    "\ud800",
    "../../evil",
    "Lambda",
    "builtins",
    "os",
    [],
    {},
    [[[]]],
    ["a"],
    [1, 2, 3],
    {"class_name": "Lambda", "config": {}, "module": "keras.layers"},
)


def changed_json(value: Any, chance: random.Random) -> bytes:
    """Text of a copy of a JSON value with one part or a few of it changed."""
    copy = json.loads(json.dumps(value))
    for _ in range(chance.choice((1, 1, 2, 3))):
        parts = list(_parts(copy))
        if parts:
            _change_part(*chance.choice(parts), chance)
    text = json.dumps(copy)
    if chance.random() < 0.1:
        at = chance.randrange(len(text) + 1)
        odd = ("[" * 50_000, '"a": 1, ', "\x00", "NaN", "9" * 5000, "1e999")
        text = text[:at] + chance.choice(odd) + text[at:]
    data = text.encode()
    if chance.random() < 0.05:
        data = data.replace(b"a", b"\xff", 1)
    return data


def _parts(value: Any) -> Any:
    """Every place in a JSON value: what holds it, and its key there."""
    keys: Any = value if isinstance(value, dict) else ()
    if isinstance(value, list):
        keys = range(len(value))
    for key in keys:
        yield value, key
        yield from _parts(value[key])


def _change_part(holder: Any, key: Any, chance: random.Random) -> None:
    kind = chance.random()
    if kind < 0.15:
        del holder[key]
    elif kind < 0.25 and isinstance(holder, dict):
        holder["surprise"] = holder[key]
    elif kind < 0.3 and isinstance(holder, list):
        holder.append(holder[key])
    else:
        holder[key] = chance.choice(VALUES)


# Zip archives.


def changed_member(whole: bytes, name: str, chance: random.Random) -> tuple[bytes, int]:
    """An archive, whole itself, of which one file is changed."""
    parts = members(whole)
    parts[name], count = changed(parts[name], chance)
    return archived(parts), count
