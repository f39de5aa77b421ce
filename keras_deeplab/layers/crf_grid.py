"""The grids of pixels on which `DenseCRF` takes its steps; all of it is known early."""

import dataclasses
import functools
from typing import Any

import numpy as np
from keras import ops

from keras_deeplab._types import Tensor

Array = np.ndarray[Any, Any]

# Where successive grids of one stride begin, the last one first: together they see
# other pixels than each alone.
_OFFSETS = {
    1: ((0, 0),),
    2: ((0, 0), (1, 1), (0, 1), (1, 0)),
    4: ((0, 0), (2, 2)),
}
# Pixels that are taken at a time, about: few enough that what is made of them stays in
# a processor's cache.
_STRIP = 3200
# A grid keeps at least so many pixels across, where the image has them.
_FEWEST = 64


@dataclasses.dataclass(frozen=True)
class Grid:
    """Every `stride`-th pixel of an image that is filled up to whole tiles.

    Args:
        size: Height and width of the image.
        tile: Side of a tile in pixels, a multiple of the stride.
        stride: Distance of the grid's pixels.
        offset: Its first row and column.
    """

    size: tuple[int, int]
    tile: int
    stride: int
    offset: tuple[int, int] = (0, 0)

    @property
    def tiles(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return -(-self.size[0] // self.tile), -(-self.size[1] // self.tile)

    @property
    def side(self) -> int:
        """Pixels of the grid along one side of a tile."""
        return self.tile // self.stride

    @functools.cached_property
    def places(self) -> tuple[Array, Array]:
        """Rows and columns of the grid's pixels, some of them past the image."""
        down, across = (
            np.arange(start, count * self.tile, self.stride)
            for start, count in zip(self.offset, self.tiles, strict=True)
        )
        return down, across

    @functools.cached_property
    def nearest_inside(self) -> tuple[Array, Array]:
        """The same, those past the image moved to its border."""
        down, across = (
            np.minimum(place, side - 1).astype("int32")
            for place, side in zip(self.places, self.size, strict=True)
        )
        return down, across

    @functools.cached_property
    def strips(self) -> list[slice]:
        """Rows of tiles that are taken together."""
        rows, columns = self.tiles
        step = max(_STRIP // (columns * self.side**2), 1)
        return [slice(row, min(row + step, rows)) for row in range(0, rows, step)]

    def rows(self, strip: slice) -> slice:
        """Returns the rows of pixels on the grid of a strip."""
        return slice(strip.start * self.side, strip.stop * self.side)

    @functools.cached_property
    def inside(self) -> Array:
        """1 where a pixel lies in the image, else 0: `(1, height, width, 1)`."""
        down, across = (
            place < side for place, side in zip(self.places, self.size, strict=True)
        )
        return (down[:, None] & across[None])[None, ..., None].astype("float32")


def grids_of(size: tuple[int, int], tile: int, strides: tuple[int, ...]) -> list[Grid]:
    """Returns a grid for each step.

    Args:
        size: Height and width of the image.
        tile: Side of a tile in pixels.
        strides: The distances asked for; smaller ones are taken on small images.

    Returns:
        The grids, in the order of `strides`.
    """
    grids: list[Grid] = []
    for stride in reversed(strides):
        stride = min(stride, tile, _finest(min(size)))
        offsets = _OFFSETS[stride]
        before = sum(grid.stride == stride for grid in grids)
        grids.append(Grid(size, tile, stride, offsets[before % len(offsets)]))
    return grids[::-1]


def _finest(side: int) -> int:
    return max(
        stride for stride in _OFFSETS if stride == 1 or side // stride >= _FEWEST
    )


def to_tiles(values: Tensor, side: int) -> Tensor:
    """Cuts `(1, height, width, k)` into `(tiles, side * side, k)`."""
    _, height, width, k = values.shape
    tiles = height // side, width // side
    values = ops.reshape(values, (tiles[0], side, tiles[1], side * k))
    values = ops.transpose(values, (0, 2, 1, 3))
    return ops.reshape(values, (tiles[0] * tiles[1], side * side, k))


def from_tiles(values: Tensor, columns: int, side: int) -> Tensor:
    """Joins `(tiles, side * side, k)` to `(1, height, columns * side, k)` again."""
    count, _, k = values.shape
    values = ops.reshape(values, (count // columns, columns, side, side * k))
    values = ops.transpose(values, (0, 2, 1, 3))
    return ops.reshape(values, (1, count // columns * side, columns * side, k))
