"""The arrays of a Keras weight file, by layer, without building its model."""

import collections
import contextlib
import itertools
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np

from keras_deeplab.weights.folded_conv import Array
from keras_deeplab.weights.official_variables import OfficialVariables, source_error

_CONTENT = "weights of keras.applications that fit this model"
# Keras reads the arrays of a layer by position: older files name them otherwise.
_PARTS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        1: ("kernel",),
        2: ("kernel", "bias"),
        4: ("gamma", "beta", "moving_mean", "moving_variance"),
    }
)
_STORED = re.compile(r"((?:.*/)?layers/[^/]+/vars)/(\d+)")


@contextlib.contextmanager
def open_keras_arrays(
    path: Path, rename: Callable[[str], str]
) -> Iterator[OfficialVariables]:
    """Opens a Keras weight file.

    Args:
        path: A `.h5` file of weights or of a whole model in the layout of Keras 2, as
            `keras.applications` publishes them, or a `.weights.h5` or `.keras` file
            of Keras 3.
        rename: Today's name of a layer from the one in the file.

    Yields:
        The arrays as `layer/part`, for example `"conv1_bn/gamma"`; those that belong
        to no layer, such as an optimizer's, by their path in the file. To be read
        before the file is closed.

    Raises:
        ValueError: If there is no such file or it is damaged, also while reading.
    """
    if not path.is_file():
        raise source_error(path, "there is no such file", _CONTENT)
    with contextlib.ExitStack() as stack:
        with _told(path):
            arrays = _named_arrays(_open(path, stack), rename)
            shapes = {name: tuple(array.shape) for name, array in arrays.items()}
        yield OfficialVariables(
            source=str(path),
            shapes=shapes,
            read=lambda name: _read(path, name, arrays[name]),
            content=_CONTENT,
        )


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # Lengths and offsets in a damaged file mean anything, and so do the errors.
        problem = f"it cannot be read ({type(error).__name__}: {error})"
        raise source_error(path, problem, _CONTENT) from error


def _open(path: Path, stack: contextlib.ExitStack) -> h5py.File:
    if path.suffix.lower() != ".keras":
        return stack.enter_context(h5py.File(path, "r"))
    archive = stack.enter_context(zipfile.ZipFile(path))
    member = archive.getinfo("model.weights.h5")
    if member.compress_type != zipfile.ZIP_STORED:
        # Keras never packs it; to seek in it would unpack it again and again.
        raise ValueError(f"{member.filename!r} is packed")
    return stack.enter_context(h5py.File(stack.enter_context(archive.open(member))))


def _named_arrays(
    file: h5py.File, rename: Callable[[str], str]
) -> dict[str, h5py.Dataset]:
    items: dict[str, Any] = {}
    # Meets each object once, and follows no links to other places or other files.
    file.visititems(items.__setitem__)
    root = "model_weights/" if "model_weights" in items else ""
    legacy = _attribute(items.get(root.rstrip("/"), file), "layer_names")
    names = dict(_legacy_names(items, root, legacy) if legacy else _stored_names(items))
    found: dict[str, h5py.Dataset] = {}
    for path, item in items.items():
        if isinstance(item, h5py.Dataset):
            layer, slash, part = names.get(path, path).rpartition("/")
            name = f"{rename(layer)}{slash}{part}"
            if name in found:
                raise ValueError(f"two of its arrays are {name!r}")
            found[name] = item
    return found


def _legacy_names(
    items: Mapping[str, Any], root: str, layers: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Paths and names in a file of Keras 2."""
    for layer in layers:
        weights = _attribute(items[root + layer], "weight_names")
        for weight, part in zip(weights, _parts(len(weights)), strict=True):
            yield f"{root}{layer}/{weight}", f"{layer}/{part}"


def _stored_names(items: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Paths and names in a file of Keras 3, whose groups are named by class."""
    matches = [match for path in items if (match := _STORED.fullmatch(path))]
    counts = collections.Counter(match[1] for match in matches)
    for match in matches:
        group = items[match[1]]
        layer = _text(group.attrs.get("name", match[1]))
        parts = _parts(counts[match[1]])
        yield match[0], f"{layer}/{dict(enumerate(parts)).get(int(match[2]), match[2])}"


def _parts(count: int) -> tuple[str, ...]:
    return _PARTS.get(count, tuple(map(str, range(count))))


def _attribute(group: h5py.Group, name: str) -> list[str]:
    """The texts of an attribute, which Keras cuts in pieces when it is long."""
    pieces = (f"{name}{index}" for index in itertools.count())
    found = itertools.takewhile(group.attrs.__contains__, pieces)
    names = [name] if name in group.attrs else found
    return [_text(text) for piece in names for text in group.attrs[piece]]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _read(path: Path, name: str, array: h5py.Dataset) -> Array:
    with _told(path):
        if array.dtype.kind != "f":
            raise ValueError(f"array {name!r} is of {array.dtype}, not of floats")
        if array.external or array.is_virtual:
            raise ValueError(f"array {name!r} lies in another file")
        return np.asarray(array[()], np.float32)
