"""Mean field of the fully connected CRF on one photo.

A pixel's place is known by its tile, its colour through a palette. What all pixels say
to one of them is then a chain of products of matrices: the pixels of a tile into the
palette, tiles into tiles, and back. Early steps are taken on few of the pixels, the
last on all; each reads all pixels of its grid, near and far.
"""

import dataclasses
from collections.abc import Callable

from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers.color_palette import color_features
from keras_deeplab.layers.crf_grid import Grid, from_tiles, to_tiles
from keras_deeplab.layers.crf_kernels import Blur, CRFKernels
from keras_deeplab.layers.resize import resize_bilinear

# Below this a pixel counts as seen by nobody; its own share alone is about 1.
_LOWEST_DENSITY = 1e-2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Photo:
    """What the steps are taken on.

    Args:
        scores: `(height, width, classes)`.
        colors: `(height, width, 3)`, about zero, in widths of the colour kernel.
        palette: `(count, 3)`, in the same units.
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


def mean_field(photo: Photo, kernels: CRFKernels) -> Tensor:
    """Refines the scores of a photo.

    Args:
        photo: The photo.
        kernels: The kernels for its size.

    Returns:
        Probabilities, `(height, width, classes)`.
    """
    views = {grid: _View(photo, grid) for grid in kernels.grids}
    start = views[kernels.grids[0]]
    found = [_softmax(start.unary(strip)) for strip in start.grid.strips]
    steps = zip(kernels.grids, kernels.targets, kernels.blurs, strict=True)
    for grid, target, blur in steps:
        source = views[grid]
        source.measure(kernels)
        view = views.get(target) or _View(photo, target)
        found = _step(source, view, found, kernels, blur)
    return _crop(found, kernels.last)


class _View:
    """A photo on a grid, strip by strip."""

    def __init__(self, photo: Photo, grid: Grid) -> None:
        self.photo = photo
        self.grid = grid
        # Found when the grid is read: colours, and how much a pixel is seen.
        self.features: list[Tensor] = []
        self.scales: list[Tensor] = []
        self.seen: Tensor = None

    def unary(self, strip: slice) -> Tensor:
        return self.photo.unary(self._tiles(self.photo.scores, strip))

    def features_of(self, index: int) -> Tensor:
        if self.features:
            return self.features[index]
        colors = self._tiles(self.photo.colors, self.grid.strips[index])
        return color_features(colors, self.photo.palette, self.photo.snap)

    def measure(self, kernels: CRFKernels) -> None:
        if self.features:
            return
        grid = self.grid
        inside = [to_tiles(grid.inside[grid.rows(s)], grid.side) for s in grid.strips]
        self.features = [self.features_of(index) for index in range(len(inside))]
        self.seen = _message(self, inside, kernels)
        self.scales = [
            _scale(ops.matmul(features, self.seen[grid.tiles_of(strip)])) * ones
            for features, strip, ones in zip(
                self.features, grid.strips, inside, strict=True
            )
        ]

    def _tiles(self, values: Tensor, strip: slice) -> Tensor:
        down, across = self.grid.nearest_inside
        values = ops.take(values, down[self.grid.rows(strip)], axis=0)
        return to_tiles(ops.take(values, across, axis=1), self.grid.side)


def _step(
    source: _View,
    view: _View,
    found: list[Tensor],
    kernels: CRFKernels,
    blur: tuple[Blur, Blur],
) -> list[Tensor]:
    if kernels.mix is not None:
        found = [ops.matmul(values, kernels.mix) for values in found]
    scaled = [
        values * scale for values, scale in zip(found, source.scales, strict=True)
    ]
    said = _message(source, scaled, kernels) * kernels.w_bilateral
    said = ops.concatenate([source.seen, said], axis=-1)
    near = _blur(_join(found, source.grid), blur, kernels.w_gaussian)
    refined = []
    for index, strip in enumerate(view.grid.strips):
        features, tiles = view.features_of(index), view.grid.tiles_of(strip)
        # One product for both, since the features are the larger factor by far.
        both = ops.matmul(features, said[tiles])
        scores = both[..., 1:] * _scale(both[..., :1])
        smooth = _between(near, source.grid, view.grid, strip)
        scores = scores + to_tiles(smooth, view.grid.side) + view.unary(strip)
        refined.append(_softmax(scores))
    return refined


def _softmax(scores: Tensor) -> Tensor:
    # Keras warns of a softmax over one class.
    return ops.softmax(scores) if scores.shape[-1] > 1 else ops.ones_like(scores)


def _scale(density: Tensor) -> Tensor:
    return ops.rsqrt(ops.maximum(density, _LOWEST_DENSITY))


def _message(source: _View, values: list[Tensor], kernels: CRFKernels) -> Tensor:
    # What all pixels say to each tile: (tiles, palette, k).
    parts = [
        ops.matmul(ops.transpose(features, (0, 2, 1)), value)
        for features, value in zip(source.features, values, strict=True)
    ]
    total = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=0)
    count, k = total.shape[1:]
    total = _across_tiles(total, source.grid.tiles, kernels.into[::-1], (1, 0))
    total = ops.matmul(source.photo.inverse[None], total)
    middle = kernels.into[0].shape[0], kernels.into[1].shape[0]
    total = _across_tiles(total, middle, kernels.out, (0, 1))
    return ops.reshape(total, (-1, count, k))


def _across_tiles(
    values: Tensor,
    tiles: tuple[int, int],
    matrices: tuple[Tensor, ...],
    axes: tuple[int, int],
) -> Tensor:
    # Products of three dimensions, the first of them one or the rows: those are what
    # TFLite's fast kernels take.
    sides = list(tiles)
    inner = values.shape[1:]
    for matrix, axis in zip(matrices, axes, strict=True):
        width = inner[0] * inner[1] * (sides[1] if axis == 0 else 1)
        shape = (1, sides[0], width) if axis == 0 else (*sides, width)
        values = ops.matmul(matrix[None], ops.reshape(values, shape))
        sides[axis] = matrix.shape[0]
    return ops.reshape(values, (sides[0] * sides[1], *inner))


def _blur(values: Tensor, blur: tuple[Blur, Blur], weight: Tensor) -> Tensor:
    (rows, down, to_rows), (columns, across, to_columns) = (
        [ops.convert_to_tensor(part, "float32") for part in axis] for axis in blur
    )
    values = values * rows[:, None, None] * columns[None, :, None]
    pads = [
        (taps.shape[0] // 2, taps.shape[0] // 2 + targets.shape[0] - scale.shape[0])
        for scale, taps, targets in blur
    ]
    values = ops.pad(values, (*pads, (0, 0)))[None]
    ones = ops.ones((1, 1, values.shape[-1], 1))
    for kernel in (down[:, None, None, None], across[None, :, None, None]):
        values = ops.depthwise_conv(
            values, kernel * ones, padding="valid", data_format="channels_last"
        )
    return values[0] * (to_rows[:, None, None] * weight) * to_columns[None, :, None]


def _between(near: Tensor, source: Grid, target: Grid, strip: slice) -> Tensor:
    rows = source.rows(strip)
    factor = source.stride // target.stride
    if factor == 1:
        return near[rows]
    height = (rows.stop - rows.start) * factor
    width = (near.shape[1] - 1) * factor
    part = near[rows.start : rows.stop + 1][None]
    return resize_bilinear(part, (height + 1, width + 1))[0, :height, :width]


def _join(parts: list[Tensor], grid: Grid) -> Tensor:
    whole = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=0)
    return from_tiles(whole, grid.tiles[1], grid.side)


def _crop(parts: list[Tensor], grid: Grid) -> Tensor:
    height, width = grid.size
    rows = [from_tiles(part, grid.tiles[1], grid.side)[:, :width] for part in parts]
    whole = rows[0] if len(rows) == 1 else ops.concatenate(rows, axis=0)
    return whole[:height]
