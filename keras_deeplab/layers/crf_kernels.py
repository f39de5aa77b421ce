"""All that `DenseCRF` knows before it sees a photo, for one size."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers import space_kernel
from keras_deeplab.layers.crf_accuracy import CRF_ACCURACIES
from keras_deeplab.layers.crf_grid import Grid, grids_of
from keras_deeplab.layers.crf_presets import CRFParameters
from keras_deeplab.layers.position_blur import Blur

# How much wider than at first the position term may become while it is learned.
_GROWTH = 2.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class CRFKernels:
    """The grids of the steps, and the kernels of place on them.

    Args:
        grids: The pixels that each step reads.
        read: The pixels that are told the last message through the palette.
        last: All pixels.
        into: Matrices that bring the tiles' values, down and across, into fewer.
        out: Matrices that bring them back.
        blurs: For each step, the position term down and across.
        w_bilateral: Weight of the bilateral term.
        theta_beta: Its width in colour.
        w_gaussian: Weight of the position term.
        mix: What a label's mass adds to each label, from rows to columns, or `None`.
        groups: Groups of labels that are told apart, or `None` for all labels.
    """

    grids: tuple[Grid, ...]
    read: Grid
    last: Grid
    into: tuple[Tensor, Tensor]
    out: tuple[Tensor, Tensor]
    blurs: tuple[tuple[Blur, Blur], ...]
    w_bilateral: Tensor
    theta_beta: Tensor
    w_gaussian: Tensor
    mix: Tensor | None = None
    groups: int | None = None

    def with_mix(self, mix: Tensor | None) -> Self:
        """Returns these kernels with a compatibility."""
        return dataclasses.replace(self, mix=mix)

    def mixed(self, values: Tensor) -> Tensor:
        """Returns what the values of labels add to the score of each label."""
        return values if self.mix is None else ops.matmul(values, self.mix)

    # Products of three dimensions, the first of them one or the rows: those are what
    # TFLite's fast kernels take.

    def into_columns(self, values: Tensor) -> Tensor:
        """Brings the tiles of a strip, `(tiles, count, k)`, into fewer columns.

        Returns:
            `(rows, columns, count, k)`.
        """
        tiles, count, k = values.shape
        across = self.into[1]
        rows = tiles // across.shape[1]
        values = ops.reshape(values, (rows, across.shape[1], count * k))
        values = ops.matmul(ops.expand_dims(across, 0), values)
        return ops.reshape(values, (rows, across.shape[0], count, k))

    def into_rows(self, values: Tensor, inverse: Tensor) -> Tensor:
        """Brings all rows of `into_columns` into fewer, and the palette to itself.

        Returns:
            `(rows, columns, count, k)`.
        """
        rows, columns, count, k = values.shape
        down = self.into[0]
        values = ops.reshape(values, (1, rows, columns * count * k))
        values = ops.matmul(ops.expand_dims(down, 0), values)
        values = ops.reshape(values, (down.shape[0] * columns, count, k))
        values = ops.matmul(ops.expand_dims(inverse, 0), values)
        return ops.reshape(values, (down.shape[0], columns, count, k))

    def out_to_rows(self, values: Tensor) -> Tensor:
        """Brings the rows of `into_rows` back to the rows of tiles.

        Returns:
            `(rows, columns, count * k)`.
        """
        rows, columns, count, k = values.shape
        down = self.out[0]
        values = ops.reshape(values, (1, rows, columns * count * k))
        values = ops.matmul(ops.expand_dims(down, 0), values)
        return ops.reshape(values, (down.shape[0], columns, count * k))

    def out_to_tiles(self, values: Tensor, strip: slice, count: int) -> Tensor:
        """Brings the columns of `out_to_rows` back to the tiles of a strip.

        Returns:
            `(tiles, count, k)`.
        """
        _, columns, width = values.shape
        rows = strip.stop - strip.start
        values = ops.slice(values, (strip.start, 0, 0), (rows, columns, width))
        across = self.out[1]
        values = ops.matmul(ops.expand_dims(across, 0), values)
        return ops.reshape(values, (rows * across.shape[0], count, width // count))


@functools.lru_cache(maxsize=16)
def constant_kernels(
    size: tuple[int, int], parameters: CRFParameters, accuracy: str
) -> CRFKernels:
    """Returns the kernels as NumPy arrays, the kernel of tiles at a lower rank."""
    grids, read, last = _grids(size, parameters, accuracy)
    rank = CRF_ACCURACIES[accuracy].rank
    down, across = (
        space_kernel.tile_basis(count, last.tile, parameters.theta_alpha, rank)
        for count in last.tiles
    )
    return CRFKernels(
        grids=grids,
        read=read,
        last=last,
        into=(down.T, across.T),
        out=(down, across),
        groups=CRF_ACCURACIES[accuracy].groups,
        blurs=_blurs(np, grids, last, parameters.theta_gamma, parameters.theta_gamma),
        w_bilateral=parameters.w_bilateral,
        theta_beta=parameters.theta_beta,
        w_gaussian=parameters.w_gaussian,
    )


def variable_kernels(
    size: tuple[int, int],
    parameters: CRFParameters,
    accuracy: str,
    values: Mapping[str, Tensor],
) -> CRFKernels:
    """Returns the kernels as tensors through which the values can be learned."""
    grids, read, last = _grids(size, parameters, accuracy)
    into = tuple(
        space_kernel.tile_kernel(ops, count, last.tile, values["theta_alpha"])
        for count in last.tiles
    )
    out = tuple(np.eye(count, dtype="float32") for count in last.tiles)
    widest = _GROWTH * parameters.theta_gamma
    return CRFKernels(
        grids=grids,
        read=read,
        last=last,
        into=(into[0], into[1]),
        out=(out[0], out[1]),
        blurs=_blurs(ops, grids, last, values["theta_gamma"], widest),
        w_bilateral=values["w_bilateral"],
        theta_beta=values["theta_beta"],
        w_gaussian=values["w_gaussian"],
    )


def _grids(
    size: tuple[int, int], parameters: CRFParameters, accuracy: str
) -> tuple[tuple[Grid, ...], Grid, Grid]:
    row = CRF_ACCURACIES[accuracy]
    tile = space_kernel.tile_side(parameters.theta_alpha, row.tile, row.tile_share)
    grids = grids_of(size, tile, row.strides(parameters.iterations))
    (read,) = grids_of(size, tile, (row.read_stride,))
    return tuple(grids), read, Grid(size, tile, 1)


def _blurs(
    xp: Any, grids: tuple[Grid, ...], last: Grid, theta: Tensor, widest: float
) -> tuple[tuple[Blur, Blur], ...]:
    pairs = zip(grids, (*grids[1:], last), strict=True)
    return tuple(
        (_blur(xp, *pair, 0, theta, widest), _blur(xp, *pair, 1, theta, widest))
        for pair in pairs
    )


def _blur(
    xp: Any, source: Grid, target: Grid, axis: int, theta: Tensor, widest: float
) -> Blur:
    # Made at the source's distance, and one more place where the target is finer:
    # what lies between is interpolated.
    count = len(source.places[axis]) + (target.stride != source.stride)
    targets = target.offset[axis] + source.stride * np.arange(count)
    # Farther than the image is wide there is nothing.
    radius = min(space_kernel.blur_radius(widest, source.stride), count)
    return space_kernel.blur_axis(
        xp,
        source.size[axis],
        source.places[axis],
        source.stride,
        targets,
        radius,
        theta,
    )
