"""Looks a Keras file over before Keras opens it.

Keras builds what a file describes, of any size, before it looks at the arrays; and
whether it runs code that a file holds depends on a global setting.
"""

import json
import math
import textwrap
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import h5py  # type: ignore[import-untyped]
import keras

from keras_deeplab.models import Segmenter

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = {CONFIG, WEIGHTS, "metadata.json"}
_MOST_CONFIG_BYTES = 1 << 20
# Arguments in pixels, or numbers of layers: no array has a side of them.
_NO_SIDES = {"input_shape", "crop_size", "frozen"}
_MOST_PIXELS = 1 << 16
# Arguments that say how many layers there are, each with an array or more.
_COUNTS = {"middle_units"}
# Lists of what is no layer.
_NAMES = {"class_names", "frozen"}

Shapes = dict[str, tuple[int, ...]]


def check_archive(path: Path) -> Shapes:
    """Checks that a `.keras` file holds a model of this package and nothing else.

    Args:
        path: The file.

    Returns:
        Shapes of the arrays of its layers, by their names.

    Raises:
        ValueError: If it holds anything else, or asks for a larger model than its
            arrays are of. A damaged file raises anything.
    """
    with zipfile.ZipFile(path) as archive:
        _check_members(archive)
        saved = json.loads(archive.read(CONFIG))
        _check_class(saved)
        with archive.open(WEIGHTS) as file:
            shapes = stored_shapes(file)
    _check_numbers(saved["config"], shapes)
    return shapes


def stored_shapes(file: IO[bytes]) -> Shapes:
    """Reads what arrays the layers of a model have in a file of weights.

    Args:
        file: The content of a `.weights.h5`.

    Returns:
        Their shapes, by their names.

    Raises:
        ValueError: If not all bytes of an array are in this file. A damaged file
            raises anything.
    """
    shapes: Shapes = {}

    def visit(name: str, item: object) -> None:
        # A compiled model's file also holds arrays of its optimizer.
        if isinstance(item, h5py.Dataset):
            _check_stored(name, item)
            if name.startswith("layers/"):
                shapes[name] = tuple(item.shape)

    with h5py.File(file, "r") as content:
        content.visititems(visit)
    return shapes


def _check_stored(name: str, array: Any) -> None:
    # Arrays may be declared without being there, or lie in any file of the disk.
    size = math.prod(array.shape or ()) * array.dtype.itemsize
    here = not array.external and not array.is_virtual
    if not here or array.id.get_storage_size() != size:
        raise ValueError(f"the bytes of array {name!r} are not in it")


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if sorted(member.filename for member in members) != sorted(_MEMBERS):
        raise ValueError(f"it must hold {', '.join(sorted(_MEMBERS))} and nothing else")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("it is packed, which Keras does not do")
    if archive.getinfo(CONFIG).file_size > _MOST_CONFIG_BYTES:
        raise ValueError(f"{CONFIG} has more than {_MOST_CONFIG_BYTES} bytes")


def _check_class(saved: Any) -> None:
    if not isinstance(saved, dict) or not isinstance(saved.get("config"), dict):
        raise ValueError(f"{CONFIG} describes no model")
    found = keras.saving.get_registered_object(str(saved.get("registered_name")))
    if not isinstance(found, type) or not issubclass(found, Segmenter):
        name = saved.get("class_name")
        raise ValueError(f"it must hold a model of this package, not a {name}")
    for nested in _objects(saved["config"]):
        name = str(nested.get("registered_name"))
        if keras.saving.get_registered_object(name) is None:
            raise ValueError(f"it holds an object that is not registered: {nested}")


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Everything below a configuration that is not plain data."""
    items: Any = value if isinstance(value, list) else ()
    if isinstance(value, dict):
        items = value.values()
    for item in items:
        if isinstance(item, dict):
            yield item
        yield from _objects(item)


def _check_numbers(config: Mapping[str, Any], shapes: Shapes) -> None:
    widest = max((side for shape in shapes.values() for side in shape), default=1)
    for name, value in config.items():
        limit = max(widest, len(shapes))
        if name in _NO_SIDES:
            limit = _MOST_PIXELS
        if name in _COUNTS:
            limit = len(shapes)
        many = isinstance(value, list) and len(value) > len(shapes)
        above = not all(abs(number) <= limit for number in _numbers(value))
        if above or (many and name not in _NAMES):
            shown = textwrap.shorten(repr(value), 50, placeholder=" ...")
            raise ValueError(
                f"its argument `{name}` is larger than its arrays: {name}={shown}"
            )


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, (int, float)):
        yield value
    for item in value if isinstance(value, list) else ():
        yield from _numbers(item)
