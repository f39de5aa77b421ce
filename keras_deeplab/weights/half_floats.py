"""Files of Keras at half the size."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import h5py  # type: ignore[import-untyped]
import numpy as np

from keras_deeplab._atomic_file import part_beside
from keras_deeplab.weights.keras_archive import WEIGHTS


def store_half_floats(path: Path) -> None:
    """Stores the float32 arrays of a file of Keras as float16.

    Keras reads them into float32 weights: the model is as before, with weights rounded
    to 11 bits, and to multiples of 6e-8 where they are smaller than 6e-5.

    Args:
        path: A `.keras` or `.weights.h5` file, which is replaced whole or not at all.

    Raises:
        ValueError: If a number is too large for float16; the message names the array.
        OSError: If the file cannot be read or written.
    """
    rewrite = next(act for end, act in _REWRITERS.items() if path.name.endswith(end))
    with part_beside(path) as part:
        rewrite(path, part)


def _rewrite_archive(path: Path, part: Path) -> None:
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(part, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename == WEIGHTS:
                content = _halved(io.BytesIO(content))
            new.writestr(member, content)


def _rewrite_weights(path: Path, part: Path) -> None:
    part.write_bytes(_halved(io.BytesIO(path.read_bytes())))


_REWRITERS: Mapping[str, Callable[[Path, Path], None]] = MappingProxyType(
    {".keras": _rewrite_archive, ".weights.h5": _rewrite_weights}
)


def _halved(content: IO[bytes]) -> bytes:
    result = io.BytesIO()
    with h5py.File(content, "r") as old, h5py.File(result, "w") as new:
        _copy(old, new)
    return result.getvalue()


def _copy(old: Any, new: Any) -> None:
    new.attrs.update(old.attrs)
    for name, item in old.items():
        if isinstance(item, h5py.Group):
            _copy(item, new.create_group(name))
        else:
            new.create_dataset(name, data=_half(item)).attrs.update(item.attrs)


def _half(array: Any) -> np.ndarray[Any, Any]:
    values = array[()]
    if values.dtype != np.float32:
        return values
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    if np.isinf(half).sum() > np.isinf(values).sum():
        raise ValueError(
            "`float16` cannot be set: array "
            f"{array.name!r} has numbers above 65504. Received: float16=True"
        )
    return half
