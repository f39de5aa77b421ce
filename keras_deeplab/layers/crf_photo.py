"""A photo as the steps of `DenseCRF` see it."""

import dataclasses
import math
from collections.abc import Callable, Sequence

from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers.color_palette import color_columns, color_features
from keras_deeplab.layers.color_weights import ONES
from keras_deeplab.layers.crf_grid import Grid, to_tiles
from keras_deeplab.layers.crf_presets import SMALLEST_PROBABILITY
from keras_deeplab.layers.label_groups import LabelGroups

# Of a pixel whose probabilities are all zero.
_LOWEST = 1e-30


@dataclasses.dataclass(frozen=True, kw_only=True)
class Photo:
    """What the steps are taken on.

    Args:
        scores: `(1, height, width, classes)`.
        colors: `(1, height, width, 3)`, about zero, in widths of the colour kernel.
        palette: `palette_rows` of the palette, in the same units.
        inverse: Inverse of the palette's own kernel.
        snap: How much of the distance to the nearest palette colour is forgotten.
        unary: Makes logarithms of probabilities of scores, up to a number that is the
            same for all classes.
        groups: Groups of the labels, or `None` for each by itself.
    """

    scores: Tensor
    colors: Tensor
    palette: Tensor
    inverse: Tensor
    snap: float
    unary: Callable[[Tensor], Tensor]
    groups: LabelGroups | None = None

    def filled_colors(self, grid: Grid) -> Tensor:
        """Colours of all pixels for `color_weights`, filled up to whole tiles."""
        sides = zip(grid.tiles, self.colors.shape[1:3], strict=True)
        down, across = ((0, count * grid.tile - side) for count, side in sides)
        pads = ((0, 0), down, across, (0, ONES))
        return ops.pad(self.colors, pads, constant_values=1.0)


class PhotoView:
    """A photo on a grid, strip by strip; strips are counted from 0.

    Args:
        photo: The photo.
        grid: The grid.
        strips: Rows of tiles that are taken together; else as the grid has them.
    """

    def __init__(
        self, photo: Photo, grid: Grid, strips: Sequence[slice] | None = None
    ) -> None:
        self.photo = photo
        self.grid = grid
        self.strips = strips or grid.strips
        self._unary: dict[int, Tensor] = {}
        self._colors: dict[int, Tensor] = {}

    def inside(self, index: int) -> Tensor:
        """1 where a pixel lies in the photo, else 0: `(tiles, pixels, 1)`."""
        rows = self.grid.rows(self.strips[index])
        return to_tiles(self.grid.inside[:, rows], self.grid.side)

    def unary(self, index: int) -> Tensor:
        """Logarithms of probabilities of groups, `(1, height, width, groups)`."""
        if index not in self._unary:
            unary = self.photo.unary(self._pixels(self.photo.scores, index))
            if self.photo.groups is not None:
                unary = self.photo.groups.scores(unary)
            self._unary[index] = unary
        return self._unary[index]

    def colors(self, index: int) -> Tensor:
        """Colours in widths of the kernel, `(tiles, pixels, 3)`."""
        return to_tiles(self._pixels(self.photo.colors, index), self.grid.side)

    def features(self, index: int, after: Tensor | None = None) -> Tensor:
        """The kernel of pixels and palette, `(tiles, pixels, count)`; made anew.

        Args:
            index: The strip.
            after: What is to be known first. Those that run a graph choose the order
                of its operations, and the features of all strips at once need many
                times the memory of one strip after another.
        """
        if index not in self._colors:
            self._colors[index] = color_columns(self.colors(index))
        palette = self.photo.palette
        if after is not None:
            palette = palette + _zero_of(after)
        return color_features(self._colors[index], palette)

    def _pixels(self, values: Tensor, index: int) -> Tensor:
        down, across = self.grid.nearest_inside
        rows = self.grid.rows(self.strips[index])
        return ops.take(ops.take(values, down[rows], axis=1), across, axis=2)


def clipped_logits(scores: Tensor) -> Tensor:
    """Logarithms of probabilities of logits, the smallest ones raised."""
    highest = ops.max(scores, axis=-1, keepdims=True)
    return ops.maximum(scores, highest + math.log(SMALLEST_PROBABILITY))


def log_share(scores: Tensor) -> Tensor:
    """Logarithms of probabilities that need not sum to one, the smallest raised."""
    highest = ops.maximum(ops.max(scores, axis=-1, keepdims=True), _LOWEST)
    return ops.log(ops.maximum(scores, SMALLEST_PROBABILITY * highest))


def _zero_of(values: Tensor) -> Tensor:
    # In a form that no optimizer of graphs sees through.
    rank = len(values.shape)
    first = ops.slice(values, (0,) * rank, (1,) * rank)
    return ops.reshape(ops.minimum(ops.abs(first), 0.0), (1, 1))


def rows_of(values: Tensor, rows: slice) -> Tensor:
    """Some rows of a map; a slice takes less time than a choice."""
    height = min(rows.stop, values.shape[1]) - rows.start
    return ops.slice(values, (0, rows.start, 0, 0), (1, height, *values.shape[2:]))
