"""Bringing logits back to the size of the photo without holding them all."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import ops

from keras_deeplab.layers import resize_bilinear
from keras_deeplab.layers.resize import interpolation_matrix

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
    matrix = interpolation_matrix(logits.shape[0], height, align_corners=True)
    for top in range(0, height, rows):
        yield _columns(_rows(logits, matrix[top : top + rows]), width)


def _rows(
    logits: np.ndarray[Any, Any], matrix: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    # Not as a product of matrices: its rounding differs with the height of the strip.
    rows = np.arange(len(matrix))
    above = (matrix > 0).argmax(axis=1)
    below = matrix.shape[1] - 1 - (matrix[:, ::-1] > 0).argmax(axis=1)
    share = np.where(below > above, matrix[rows, below], 0)[:, None, None]
    return matrix[rows, above][:, None, None] * logits[above] + share * logits[below]


def _columns(strip: np.ndarray[Any, Any], width: int) -> np.ndarray[Any, Any]:
    if strip.shape[1] == width:
        return strip
    resized = resize_bilinear(strip[None], (strip.shape[0], width), align_corners=True)
    return np.asarray(ops.convert_to_numpy(resized))[0]
