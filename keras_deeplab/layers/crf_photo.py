"""A photo as the steps of `DenseCRF` see it."""

import dataclasses
import math
from collections.abc import Callable

from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers.color_palette import color_columns, color_features
from keras_deeplab.layers.crf_grid import Grid, to_tiles
from keras_deeplab.layers.crf_presets import SMALLEST_PROBABILITY


@dataclasses.dataclass(frozen=True, kw_only=True)
class Photo:
    """What the steps are taken on.

    Args:
        scores: `(height, width, classes)`.
        colors: `(height, width, 3)`, about zero, in widths of the colour kernel.
        palette: `palette_rows` of the palette, in the same units.
        inverse: Inverse of the palette's own kernel.
        snap: How much of the distance to the nearest palette colour is forgotten.
        unary: Makes logarithms of probabilities of scores.
    """

    scores: Tensor
    colors: Tensor
    palette: Tensor
    inverse: Tensor
    snap: float
    unary: Callable[[Tensor], Tensor]


class PhotoView:
    """A photo on a grid, strip by strip; strips are counted from 0.

    Args:
        photo: The photo.
        grid: The grid.
        filled: Whether the unary term goes on past the photo, to whole tiles.
    """

    def __init__(self, photo: Photo, grid: Grid, filled: bool = True) -> None:
        self.photo = photo
        self.grid = grid
        self.filled = filled
        self._unary: dict[int, Tensor] = {}
        self._colors: dict[int, Tensor] = {}

    def inside(self, index: int) -> Tensor:
        """1 where a pixel lies in the photo, else 0: `(tiles, pixels, 1)`."""
        rows = self.grid.rows(self.grid.strips[index])
        return to_tiles(self.grid.inside[rows], self.grid.side)

    def unary(self, index: int) -> Tensor:
        """Logarithms of probabilities, `(height, width, classes)`."""
        if index not in self._unary:
            read = self._pixels if self.filled else self._inside
            self._unary[index] = self.photo.unary(read(self.photo.scores, index))
        return self._unary[index]

    def features(self, index: int, after: Tensor | None = None) -> Tensor:
        """The kernel of pixels and palette, `(tiles, pixels, count)`; made anew.

        Args:
            index: The strip.
            after: What is to be known first. Those that run a graph choose the order
                of its operations, and the features of all strips at once need many
                times the memory of one strip after another.
        """
        if index not in self._colors:
            colors = self._pixels(self.photo.colors, index)
            self._colors[index] = color_columns(to_tiles(colors, self.grid.side))
        palette = self.photo.palette
        if after is not None:
            palette = palette + _zero_of(after)
        return color_features(self._colors[index], palette)

    def _pixels(self, values: Tensor, index: int) -> Tensor:
        down, across = self.grid.nearest_inside
        rows = self.grid.rows(self.grid.strips[index])
        return ops.take(ops.take(values, down[rows], axis=0), across, axis=1)

    def _inside(self, values: Tensor, index: int) -> Tensor:
        # All pixels, in order: a slice takes less time than a choice.
        rows = self.grid.rows(self.grid.strips[index])
        height = min(rows.stop, self.grid.size[0]) - rows.start
        return ops.slice(values, (rows.start, 0, 0), (height, *values.shape[1:]))


def clipped_logits(scores: Tensor) -> Tensor:
    """Logarithms of probabilities of logits, the smallest ones raised.

    Up to a number that is the same for all classes, which a softmax does not see.
    """
    highest = ops.max(scores, axis=-1, keepdims=True)
    total = ops.log(ops.sum(ops.exp(scores - highest), axis=-1, keepdims=True))
    return ops.maximum(scores, highest + total + math.log(SMALLEST_PROBABILITY))


def log_share(scores: Tensor) -> Tensor:
    """Logarithms of probabilities that need not sum to one, the smallest raised."""
    total = ops.sum(scores, axis=-1, keepdims=True)
    share = scores / ops.maximum(total, 1e-30)
    return ops.log(ops.maximum(share, SMALLEST_PROBABILITY))


def _zero_of(values: Tensor) -> Tensor:
    # In a form that no optimizer of graphs sees through.
    rank = len(values.shape)
    first = ops.slice(values, (0,) * rank, (1,) * rank)
    return ops.reshape(ops.minimum(ops.abs(first), 0.0), (1, 1))
