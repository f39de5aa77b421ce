"""Mean field of the fully connected CRF on one photo.

A pixel's place is known by its tile, its colour through a palette. What all pixels say
to one of them is then a chain of products of matrices: the pixels of a tile into the
palette, tiles into tiles, and back. Early steps are taken on few of the pixels, the
last on all; each reads all pixels of its grid, near and far.

A step goes over its pixels strip by strip: a strip's colours are compared with the
palette once, to read what was said to it and to say what follows from that, and are
forgotten before the next.
"""

import dataclasses

from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers.color_palette import feature_scale
from keras_deeplab.layers.crf_grid import Grid, from_tiles, to_tiles
from keras_deeplab.layers.crf_kernels import CRFKernels
from keras_deeplab.layers.crf_photo import Photo, PhotoView
from keras_deeplab.layers.position_blur import between, blur

# Below this a pixel counts as seen by nobody; its own share alone is about 1.
_LOWEST_DENSITY = 1e-2


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Message:
    """What the pixels of a grid say to all.

    Args:
        grid: The grid.
        said: By rank of the place kernel and colour of the palette: how many pixels
            there are, and their labels if they have been asked.
        near: The position term on the grid that is made next, or `None` at first.
    """

    grid: Grid
    said: Tensor
    near: Tensor | None = None


def mean_field(photo: Photo, kernels: CRFKernels) -> Tensor:
    """Refines the scores of a photo.

    Args:
        photo: The photo.
        kernels: The kernels for its size.

    Returns:
        Probabilities, `(height, width, classes)`.
    """
    views = {grid: PhotoView(photo, grid) for grid in kernels.grids}
    message = _count(views[kernels.grids[0]], kernels)
    for grid, each in zip(kernels.grids, kernels.blurs, strict=True):
        found, parts = _visit(views[grid], message, kernels)
        near = blur(kernels.mixed(found), each, kernels.w_gaussian)
        message = _Message(grid=grid, said=_said(parts, photo, kernels), near=near)
    found, _ = _visit(PhotoView(photo, kernels.last, filled=False), message, kernels)
    return found


def _count(view: PhotoView, kernels: CRFKernels) -> _Message:
    # The pixels alone, from which follows how much each of them is seen.
    parts: list[Tensor] = []
    for index in range(len(view.grid.strips)):
        features = view.features(index, after=parts[-1] if parts else None)
        reach = feature_scale(features, view.photo.snap)
        told = view.inside(index) * reach
        parts.append(kernels.into_columns(_sum(features, told)))
    return _Message(grid=view.grid, said=_said(parts, view.photo, kernels))


def _visit(
    view: PhotoView, message: _Message, kernels: CRFKernels
) -> tuple[Tensor, list[Tensor]]:
    """Tells the pixels of a grid a message; returns their labels and their own words.

    Labels are `(height, width, classes)`; the words are strips, for `_said`, and none
    where the view has no pixels past the photo, and is thus the last.
    """
    found: list[Tensor] = []
    parts: list[Tensor] = []
    for index, strip in enumerate(view.grid.strips):
        features = view.features(index, after=(parts or found or [message.said])[-1])
        reach = feature_scale(features, view.photo.snap)
        said = kernels.out_to_tiles(message.said, strip, features.shape[-1])
        heard = ops.matmul(features, said)
        density = _density(heard, reach)
        scores = view.unary(index)
        if message.near is not None:
            factor = kernels.w_bilateral * reach * ops.rsqrt(density)
            labels = from_tiles(heard * factor, view.grid.tiles[1], view.grid.side)
            scores = scores + ops.slice(labels, (0, 0, 1), scores.shape)
            near = between(message.near, message.grid, view.grid, strip, scores.shape)
            scores = scores + near
        values = _softmax(scores)
        found.append(values)
        if view.filled:
            told = to_tiles(kernels.mixed(values), view.grid.side)
            told = told * (_scale(density, message.grid, view, index) * reach)
            told = ops.concatenate([view.inside(index) * reach, told], axis=-1)
            parts.append(kernels.into_columns(_sum(features, told)))
    return _concatenate(found), parts


def _density(heard: Tensor, reach: Tensor) -> Tensor:
    """How many pixels each pixel sees."""
    density = ops.slice(heard, (0, 0, 0), (*heard.shape[:2], 1))
    return ops.maximum(density * reach, _LOWEST_DENSITY)


def _scale(density: Tensor, source: Grid, view: PhotoView, index: int) -> Tensor:
    """The factor of a strip's values for the next step."""
    # As the next step counts pixels: more of them, and this one too.
    ratio = (source.stride / view.grid.stride) ** 2
    itself = float(source != view.grid)
    return ops.rsqrt(density * ratio + itself) * view.inside(index)


def _sum(features: Tensor, values: Tensor) -> Tensor:
    return ops.matmul(ops.transpose(features, (0, 2, 1)), values)


def _said(parts: list[Tensor], photo: Photo, kernels: CRFKernels) -> Tensor:
    values = kernels.into_rows(_concatenate(parts), photo.inverse)
    return kernels.out_to_rows(values)


def _softmax(scores: Tensor) -> Tensor:
    # Keras warns of a softmax over one class.
    return ops.softmax(scores) if scores.shape[-1] > 1 else ops.ones_like(scores)


def _concatenate(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=0)
