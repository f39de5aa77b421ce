"""Kernels of place, which do not depend on the photo.

`xp` is `numpy` where the widths are constants, so that the results are, and
`keras.ops` where they are variables.
"""

import math
from typing import Any

import numpy as np

from keras_deeplab._types import Tensor

Array = np.ndarray[Any, Any]

# In widths: what lies farther away weighs less than exp(-6).
REACH = 3.5
# In strides of the grid: a narrower kernel would fall between the grid's pixels.
_NARROWEST = 0.3


def tile_side(theta: float, largest: int, share: float) -> int:
    """Returns the side of the tiles, a multiple of 4 as the largest stride is."""
    wanted = min(max(theta * share, 4), largest)
    return 4 * math.floor(wanted / 4)


def tile_kernel(xp: Any, tiles: int, tile: int, theta: Tensor) -> Tensor:
    """Returns the kernel of the tiles' middles along one axis, `(tiles, tiles)`.

    A pixel that is known by its tile lies somewhere in it: that is a blur by itself,
    which the kernel leaves out to keep its width.
    """
    variance = xp.maximum(theta**2 - tile**2 / 6, (0.25 * tile) ** 2)
    middles = np.arange(tiles) * tile
    return _gauss(xp, middles, middles, variance**0.5)


def tile_basis(tiles: int, tile: int, theta: float, rank: float) -> Array:
    """Returns a factor of `tile_kernel`, `(tiles, rank)`, with the most of it."""
    values, vectors = np.linalg.eigh(tile_kernel(np, tiles, tile, theta))
    kept = values > rank * values[-1]
    return (vectors[:, kept] * np.sqrt(values[kept])).astype("float32")


def blur_radius(theta: float, stride: int) -> int:
    """Returns how many pixels of a grid the position term reaches."""
    return math.ceil(REACH * max(theta / stride, _NARROWEST)) + 1


def blur_axis(
    xp: Any,
    side: int,
    sources: Array,
    stride: int,
    targets: Array,
    radius: int,
    theta: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the position term along one axis as a blur between two scalings.

    The grid's pixels stand for all of the image: a target gets the mean of the sources
    near it, times the sum that the symmetric kernel has there at full size.

    Args:
        xp: `numpy` or `keras.ops`.
        side: Length of the image.
        sources: Places of the pixels that are read.
        stride: Their distance.
        targets: Places of those that are made, at the same distance.
        radius: Reach of the blur, in pixels of the grid.
        theta: Width of the term.

    Returns:
        The sources' scale, the blur's taps, and the targets' scale.
    """
    image = np.arange(side)
    density = xp.sum(_gauss(xp, image, image, theta), axis=1)
    weight = density**-0.5
    here = _gauss(xp, np.minimum(targets, side - 1), image, theta)
    row_sum = xp.sum(here * weight, axis=1) * xp.sum(here, axis=1) ** -0.5
    near = _gauss(xp, np.minimum(sources, side - 1), image, theta)
    inside = xp.array((sources < side).astype("float32"))
    source_scale = xp.sum(near, axis=1) ** -0.5 * inside
    wide = xp.maximum(theta, _NARROWEST * stride)
    taps = _gauss(
        xp, targets[:1] - sources[:1], stride * np.arange(-radius, radius + 1), wide
    )[0]
    seen = xp.sum(_gauss(xp, targets, sources, wide) * source_scale, axis=1)
    return source_scale, taps, row_sum / xp.maximum(seen, 1e-6)


def _gauss(xp: Any, left: Array, right: Array, theta: Tensor) -> Tensor:
    difference = xp.array((left[:, None] - right[None]).astype("float32"))
    return xp.exp(-0.5 * (difference / theta) ** 2)
