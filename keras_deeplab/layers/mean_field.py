"""Mean field of the fully connected CRF on one photo.

A pixel's place is known by its tile, its colour through a palette. What all pixels say
to one of them is then a chain of products of matrices: the pixels of a tile into the
palette, tiles into tiles, and back. Steps are taken on some of the pixels, and each
reads all pixels of its grid, near and far; at last all pixels are told.

A step goes over its pixels strip by strip: a strip's colours are compared with the
palette once, to read what was said to it and to say what follows from that, and are
forgotten before the next.
"""

import dataclasses
from collections.abc import Sequence

from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers.color_palette import feature_scale
from keras_deeplab.layers.color_weights import color_weights
from keras_deeplab.layers.crf_grid import Grid, from_tiles, to_tiles
from keras_deeplab.layers.crf_kernels import CRFKernels
from keras_deeplab.layers.crf_photo import Photo, PhotoView, rows_of
from keras_deeplab.layers.label_groups import label_groups
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
        Probabilities, `(1, height, width, classes)`.
    """
    photo = _grouped(photo, kernels)
    views = {grid: PhotoView(photo, grid) for grid in kernels.grids}
    message = _count(views[kernels.grids[0]], kernels)
    for grid, each in zip(kernels.grids, kernels.blurs, strict=True):
        found, parts = _visit(views[grid], message, kernels)
        message = _Message(
            grid=grid,
            said=_said(parts, photo, kernels),
            near=blur(kernels.mixed(found), each, kernels.w_gaussian),
        )
    return _read(photo, message, kernels)


def _grouped(photo: Photo, kernels: CRFKernels) -> Photo:
    # With a compatibility each label says something else to each.
    most = kernels.groups
    if most is None or photo.scores.shape[-1] <= most or kernels.mix is not None:
        return photo
    view = PhotoView(photo, kernels.grids[0])
    found = [ops.softmax(view.unary(index)) for index in range(len(view.strips))]
    # Not by `*`: PyTorch would bring a tensor on a GPU to NumPy's array.
    share = ops.multiply(_concatenate(found, axis=1), view.grid.inside)
    return dataclasses.replace(photo, groups=label_groups(share, most))


def _count(view: PhotoView, kernels: CRFKernels) -> _Message:
    # The pixels alone, from which follows how much each of them is seen.
    parts: list[Tensor] = []
    for index in range(len(view.strips)):
        features = view.features(index, after=parts[-1] if parts else None)
        reach = feature_scale(features, view.photo.snap)
        told = view.inside(index) * reach
        parts.append(kernels.into_columns(_sum(features, told)))
    return _Message(grid=view.grid, said=_said(parts, view.photo, kernels))


def _visit(
    view: PhotoView, message: _Message, kernels: CRFKernels
) -> tuple[Tensor, list[Tensor]]:
    """Tells the pixels of a grid a message; returns their labels and their own words.

    Labels are `(1, height, width, groups)`; the words are strips, for `_said`.
    """
    found: list[Tensor] = []
    parts: list[Tensor] = []
    for index, strip in enumerate(view.strips):
        heard = _hear(view, index, message, kernels, after=parts)
        scores = view.unary(index)
        if heard.labels is not None:
            scores = scores + from_tiles(
                heard.labels, view.grid.tiles[1], view.grid.side
            )
            near = between(message.near, message.grid, view.grid, strip, scores.shape)
            scores = scores + near
        values = _softmax(scores)
        found.append(values)
        told = to_tiles(kernels.mixed(values), view.grid.side) * heard.reach
        told = told * _scale(heard.density, message.grid, view, index)
        told = ops.concatenate([view.inside(index) * heard.reach, told], axis=-1)
        parts.append(kernels.into_columns(_sum(heard.features, told)))
    return _concatenate(found, axis=1), parts


def _read(photo: Photo, message: _Message, kernels: CRFKernels) -> Tensor:
    """Tells all pixels the last message; returns their labels."""
    grid = kernels.last
    found: list[Tensor] = []
    view = PhotoView(photo, kernels.read, grid.strips)
    colors = None if kernels.read == grid else photo.filled_colors(grid)
    for index, strip in enumerate(grid.strips):
        heard = _hear(view, index, message, kernels, after=found)
        labels = heard.labels
        rows = grid.rows(strip)
        if colors is not None:
            pixels = to_tiles(rows_of(colors, rows), grid.side)
            labels = ops.matmul(color_weights(pixels, view.colors(index)), labels)
        labels = from_tiles(labels, grid.tiles[1], grid.side)
        scores = photo.unary(rows_of(photo.scores, rows))
        shape = (*scores.shape[:3], labels.shape[-1])
        near = between(message.near, message.grid, grid, strip, shape)
        added = ops.slice(labels, (0, 0, 0, 0), shape) + near
        if photo.groups is not None:
            added = photo.groups.to_labels(added)
        found.append(_softmax(scores + added))
    return _concatenate(found, axis=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Heard:
    """What a strip of pixels heard, tile by tile.

    Args:
        features: The kernel of the pixels and the palette.
        reach: A factor of it.
        density: How many pixels each of them sees.
        labels: The bilateral term: what it adds to the score of each label.
    """

    features: Tensor
    reach: Tensor
    density: Tensor
    labels: Tensor | None


def _hear(
    view: PhotoView,
    index: int,
    message: _Message,
    kernels: CRFKernels,
    after: Sequence[Tensor],
) -> _Heard:
    features = view.features(index, after=after[-1] if after else message.said)
    reach = feature_scale(features, view.photo.snap)
    said = kernels.out_to_tiles(message.said, view.strips[index], features.shape[-1])
    heard = ops.matmul(features, said)
    density = _density(heard, reach)
    labels = None
    if message.near is not None:
        labels = ops.slice(heard, (0, 0, 1), (*heard.shape[:2], heard.shape[2] - 1))
        labels = labels * (kernels.w_bilateral * reach * ops.rsqrt(density))
    return _Heard(features=features, reach=reach, density=density, labels=labels)


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


def _concatenate(parts: list[Tensor], axis: int = 0) -> Tensor:
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=axis)
