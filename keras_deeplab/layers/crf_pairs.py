"""Pixels of doubtful label, compared with the others one by one.

Palette and tiles err by little, and so matter where two labels are about as likely.
There the last message is taken anew, with the kernel itself.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers.crf_grid import joined, to_tiles
from keras_deeplab.layers.crf_kernels import CRFKernels
from keras_deeplab.layers.crf_photo import PhotoView, shares
from keras_deeplab.layers.gauss_exponent import exponent_columns, exponent_rows

# Pixels that are spoken for at most: of a larger grid every second, third ... is taken.
_MOST_SPEAKERS = 70_000
# Of them, compared at a time.
_BLOCK = 2**14
# Below this a pixel counts as seen by nobody; its own share alone is about 1.
LOWEST_DENSITY = 1e-2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Speakers:
    """Pixels that doubtful ones are compared with, and what they say.

    Args:
        points: `exponent_rows` of their places and colours, in widths of the kernels.
        told: How many pixels each stands for, and their labels:
            `(count, 1 + classes)`.
    """

    points: Tensor
    told: Tensor


def speakers_of(
    view: PhotoView, told: Sequence[Tensor], theta_alpha: Tensor
) -> list[Speakers]:
    """Takes the pixels of a grid, in blocks.

    Args:
        view: The photo on that grid.
        told: What they say, by strip: `(tiles, pixels, 1 + classes)`.
        theta_alpha: Width of the bilateral kernel in place.
    """
    grid = view.grid
    colors = joined([view.colors(index) for index in range(len(grid.strips))])
    places = to_tiles(grid.map_of_places, grid.side) / theta_alpha
    points = ops.concatenate([places, colors], axis=-1)
    step = math.ceil((math.prod(points.shape[:2]) / _MOST_SPEAKERS) ** 0.5)
    chosen = np.arange(grid.side**2).reshape(grid.side, -1)[::step, ::step].ravel()
    points, values = (
        ops.reshape(ops.take(each, chosen, axis=1), (-1, each.shape[-1]))
        for each in (points, joined(told))
    )
    values = values * (grid.side**2 / len(chosen))
    rows = [slice(at, at + _BLOCK) for at in range(0, points.shape[0], _BLOCK)]
    return [
        Speakers(points=exponent_rows(points[each]), told=values[each]) for each in rows
    ]


def settle(
    found: Tensor,
    scores: Tensor,
    view: PhotoView,
    top: int,
    speakers: Sequence[Speakers],
    kernels: CRFKernels,
) -> Tensor:
    """Asks those of some rows of pixels anew that are least sure of their labels.

    Args:
        found: Probabilities, `(height, width, classes)`.
        scores: Scores without the bilateral term, of the same shape.
        view: The photo.
        top: The first of the rows in the photo.
        speakers: The pixels to compare with.
        kernels: The kernels, whose `doubtful` says how many pixels are asked for.

    Returns:
        Probabilities, the shape of `found`.
    """
    flat, scores = (
        ops.reshape(each, (-1, found.shape[-1])) for each in (found, scores)
    )
    count = round(kernels.doubtful * flat.shape[0])
    if not count:
        return found
    doubt = -ops.max(ops.stop_gradient(flat), axis=-1)
    chosen = ops.top_k(doubt, count, sorted=False)[1]
    points = exponent_columns(
        view.points(top, found.shape[0], chosen, kernels.theta_alpha)
    )
    heard = functools.reduce(ops.add, [_heard(points, each) for each in speakers])
    density = ops.maximum(heard[:, :1], LOWEST_DENSITY)
    labels = kernels.w_bilateral * heard[:, 1:] * ops.rsqrt(density)
    values = shares(ops.take(scores, chosen, axis=0) + labels)
    return ops.reshape(_replaced(flat, chosen, values), found.shape)


def _heard(points: Tensor, speakers: Speakers) -> Tensor:
    # Of three dimensions, which is what TFLite's fast kernels take.
    points, rows, told = (
        ops.expand_dims(each, 0) for each in (points, speakers.points, speakers.told)
    )
    kernel = ops.exp(ops.matmul(points, rows))
    return ops.squeeze(ops.matmul(kernel, told), 0)


def _replaced(rows: Tensor, chosen: Tensor, values: Tensor) -> Tensor:
    # By a choice of rows: to write into them TFLite goes over all more than twice.
    count = rows.shape[0]
    chosen = ops.cast(chosen, "int32")
    ahead = ops.arange(count, count + chosen.shape[0], dtype="int32") - chosen
    ahead = ops.scatter(ops.expand_dims(chosen, -1), ahead, (count,))
    places = ops.arange(count, dtype="int32") + ahead
    return ops.take(ops.concatenate([rows, values], axis=0), places, axis=0)
