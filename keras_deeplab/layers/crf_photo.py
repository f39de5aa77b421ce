"""A photo as the steps of `DenseCRF` see it."""

import dataclasses
import math
from collections.abc import Callable

from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers.color_palette import color_features
from keras_deeplab.layers.crf_grid import Grid, to_tiles
from keras_deeplab.layers.crf_presets import SMALLEST_PROBABILITY
from keras_deeplab.layers.gauss_exponent import exponent_columns


@dataclasses.dataclass(frozen=True, kw_only=True)
class Photo:
    """What the steps are taken on.

    Args:
        scores: `(height, width, classes)`.
        colors: `(height, width, 3)`, about zero, in widths of the colour kernel.
        palette: `exponent_rows` of the palette, in the same units.
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
        self._columns: dict[int, Tensor] = {}

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

    def colors(self, index: int) -> Tensor:
        """Colours in widths of the colour kernel, `(tiles, pixels, 3)`."""
        if index not in self._colors:
            colors = self._pixels(self.photo.colors, index)
            self._colors[index] = to_tiles(colors, self.grid.side)
        return self._colors[index]

    def points(
        self, top: int, height: int, chosen: Tensor, theta_alpha: Tensor
    ) -> Tensor:
        """Places and colours of pixels of some rows, in widths of the kernels.

        Args:
            top: The first row.
            height: How many there are.
            chosen: Which of their pixels, int, `(count,)`.
            theta_alpha: Width of the kernel in place.

        Returns:
            `(count, 5)`.
        """
        width = self.grid.size[1]
        colors = ops.slice(self.photo.colors, (top, 0, 0), (height, width, 3))
        colors = ops.take(ops.reshape(colors, (-1, 3)), chosen, axis=0)
        chosen = ops.cast(chosen, "float32")
        row = ops.floor(chosen / width)
        places = ops.stack([row + top, chosen - row * width], axis=-1) / theta_alpha
        return ops.concatenate([places, colors], axis=-1)

    def features(self, index: int, after: Tensor | None = None) -> Tensor:
        """The kernel of pixels and palette, `(tiles, pixels, count)`; made anew.

        Args:
            index: The strip.
            after: What is to be known first: the features of all strips at once need
                many times the memory of one strip after another.
        """
        if index not in self._columns:
            self._columns[index] = exponent_columns(self.colors(index))
        return color_features(
            self._columns[index], made_after(self.photo.palette, after)
        )

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


def shares(scores: Tensor) -> Tensor:
    """Returns probabilities of scores of the last axis."""
    # Keras warns of a softmax over one class.
    return ops.softmax(scores) if scores.shape[-1] > 1 else ops.ones_like(scores)


def made_after(values: Tensor, first: Tensor | None) -> Tensor:
    """Returns values, `(rows, columns)`, that are not known before others are.

    Those that run a graph choose the order of its operations themselves.
    """
    if first is None:
        return values
    rank = len(first.shape)
    part = ops.slice(first, (0,) * rank, (1,) * rank)
    # A zero, in a form that no optimizer of graphs sees through.
    return values + ops.reshape(ops.minimum(ops.abs(part), 0.0), (1, 1))
