"""Bringing logits back to the size of the photo without holding them all."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import ops

from keras_deeplab.inference.row_stream import RowStream
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
    rows = rows or strip_rows(size[1], logits.shape[2])
    return resized_bands(iter([logits]), len(logits), size, rows)


def strip_rows(width: int, classes: int) -> int:
    """Returns how many rows of float32 scores fit into 64 MiB, at least one."""
    return max(1, _STRIP_VALUES // (width * classes))


def resized_bands(
    bands: Iterator[np.ndarray[Any, Any]],
    height: int,
    size: tuple[int, int],
    rows: int,
) -> Iterator[np.ndarray[Any, Any]]:
    """Does what `resized_strips` does, with a map that comes in bands itself.

    Args:
        bands: float32 `(some rows, w, classes)`, one below the other.
        height: Rows of all bands together.
        size: Height and width of the whole result.
        rows: Rows of a strip; the last may have fewer.

    Yields:
        float32 strips, `(rows, width, classes)`.
    """
    stream = RowStream(bands)
    for top in range(0, size[0], rows):
        part = slice(top, min(top + rows, size[0]))
        if height == size[0]:
            yield _columns(stream.take(part.start, part.stop), size[1])
            continue
        matrix = interpolation_matrix(height, size[0], align_corners=True, rows=part)
        yield _columns(_rows(stream, matrix), size[1])


def _rows(stream: RowStream, matrix: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    # Not as a product of matrices: its rounding differs with the height of the strip.
    rows = np.arange(len(matrix))
    above = (matrix > 0).argmax(axis=1)
    below = matrix.shape[1] - 1 - (matrix[:, ::-1] > 0).argmax(axis=1)
    share = np.where(below > above, matrix[rows, below], 0)[:, None, None]
    first = above[0]
    taken = stream.take(first, below[-1] + 1)
    return (
        matrix[rows, above][:, None, None] * taken[above - first]
        + share * taken[below - first]
    )


def _columns(strip: np.ndarray[Any, Any], width: int) -> np.ndarray[Any, Any]:
    if strip.shape[1] == width:
        return strip
    resized = resize_bilinear(strip[None], (strip.shape[0], width), align_corners=True)
    return np.asarray(ops.convert_to_numpy(resized))[0]
