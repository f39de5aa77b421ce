"""What a photo and its mask hold, and all that is wrong with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from keras_deeplab.data.label_table import LabelTable
from keras_deeplab.data.read_sample import (
    check_sizes,
    labels_in,
    read_image,
    read_mask,
)
from keras_deeplab.data.sample_error import SampleError
from keras_deeplab.data.sample_pair import SamplePair

_Pixels = TypeVar("_Pixels")

# Thumbnails: at output stride 16 they are two features wide.
_SMALL = 32
_MOSTLY = 0.95


@dataclass(frozen=True)
class FileScan:
    """What a photo and its mask hold, and all that is wrong with them.

    Args:
        pair: The files.
        stored: The distinct values stored in the mask.
        pixels: Pixels of each class, and last of the ignored label, `(classes + 1,)`.
        errors: What is wrong, first what is broken.
    """

    pair: SamplePair
    stored: frozenset[int]
    pixels: np.ndarray[Any, Any]
    errors: tuple[SampleError, ...]


def scan_pair(pair: SamplePair, table: LabelTable) -> FileScan:
    """Reads a photo and its mask with the checks of `read_sample`, to the end.

    Args:
        pair: The files.
        table: What the values in the mask mean.

    Returns:
        What was found.
    """
    errors: list[SampleError] = []
    image = _attempt(errors, "unreadable_image", pair.image, lambda: read_image(pair))
    mask = _attempt(errors, "unreadable_mask", pair.mask, lambda: read_mask(pair))
    pixels = np.zeros(table.classes + 1, "int64")
    stored: frozenset[int] = frozenset()
    if mask is not None:
        pixels, stored, strange = _counted(pair, mask, table)
        errors += strange
    if image is not None and mask is not None:
        errors += _caught(lambda: check_sizes(pair, image, mask))
    if image is not None:
        errors += _small(pair, image)
    errors += _mostly_ignored(pair, pixels)
    return FileScan(pair, stored, pixels, tuple(errors))


def _attempt(
    errors: list[SampleError],
    fault: str,
    path: Any,
    read: Callable[[], _Pixels],
) -> _Pixels | None:
    try:
        return read()
    except SampleError as error:
        errors.append(error)
    except OSError as error:
        reason = error.strerror or str(error)
        errors.append(SampleError(fault, path, f"cannot be opened: {reason}"))
    return None


def _caught(check: Callable[[], object]) -> list[SampleError]:
    try:
        check()
    except SampleError as error:
        return [error]
    return []


def _counted(
    pair: SamplePair, mask: np.ndarray[Any, Any], table: LabelTable
) -> tuple[np.ndarray[Any, Any], frozenset[int], list[SampleError]]:
    counts = np.bincount(mask.ravel())
    values = np.flatnonzero(counts)
    strange = _caught(lambda: labels_in(pair, values, table))
    pixels = np.zeros(table.classes + 1, "int64")
    for value in values.tolist():
        if value in table.entries:
            # The ignored label is above the classes.
            pixels[min(table.entries[value], table.classes)] += counts[value]
    return pixels, frozenset(values.tolist()), strange


def _small(pair: SamplePair, image: Image.Image) -> list[SampleError]:
    width, height = image.size
    if min(height, width) >= _SMALL:
        return []
    detail = f"is only {width} x {height} pixels"
    return [SampleError("small_image", pair.image, detail)]


def _mostly_ignored(
    pair: SamplePair, pixels: np.ndarray[Any, Any]
) -> list[SampleError]:
    share = pixels[-1] / max(pixels.sum(), 1)
    if share < _MOSTLY:
        return []
    detail = f"is ignored by {100 * share:.1f} %"
    return [SampleError("file_mostly_ignored", pair.mask, detail)]
