"""Bringing logits back to the size of the photo without holding them all."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import ops

from keras_deeplab.layers import resize_bilinear

# Values of one strip: 64 MiB of float32. A photo of 12 megapixels has 1 GiB of
# logits for 21 classes.
_STRIP_VALUES = 2**24


def resized_strips(
    logits: np.ndarray[Any, Any], size: tuple[int, int], rows: int | None = None
) -> Iterator[np.ndarray[Any, Any]]:
    """Resizes a map bilinearly, corners aligned, and yields it in horizontal strips.

    One below the other the strips are the whole resized map, whatever their height:
    each output row depends on two input rows only, so a strip first takes those
    (rows), then resizes each row on its own (columns).

    Args:
        logits: float32, `(h, w, classes)`.
        size: Height and width of the whole result.
        rows: Rows of a strip; the last may have fewer. By default what fits into
            64 MiB.

    Yields:
        float32 strips, `(rows, width, classes)`.
    """
    height, width = size
    rows = rows or max(1, _STRIP_VALUES // (width * logits.shape[2]))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        strip = _rows(logits, np.arange(top, bottom), height)
        yield _columns(strip, width)


def _rows(
    logits: np.ndarray[Any, Any], index: np.ndarray[Any, Any], height: int
) -> np.ndarray[Any, Any]:
    old_height = logits.shape[0]
    if old_height == height:
        return logits[index[0] : index[-1] + 1]
    position = index * ((old_height - 1) / max(height - 1, 1))
    above = np.minimum(position.astype("int64"), max(old_height - 2, 0))
    below = np.minimum(above + 1, old_height - 1)
    weight = (position - above).astype("float32")[:, None, None]
    return logits[above] + (logits[below] - logits[above]) * weight


def _columns(strip: np.ndarray[Any, Any], width: int) -> np.ndarray[Any, Any]:
    if strip.shape[1] == width:
        return strip
    resized = resize_bilinear(strip[None], (strip.shape[0], width), align_corners=True)
    return np.asarray(ops.convert_to_numpy(resized))[0]
