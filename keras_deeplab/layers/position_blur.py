"""The position term of `DenseCRF`: a blur along rows and columns of a grid."""

from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers.crf_grid import Grid
from keras_deeplab.layers.resize import resize_bilinear

# Scale of the sources, taps, scale of the targets; see `space_kernel.blur_axis`.
Blur = tuple[Tensor, Tensor, Tensor]


def blur(values: Tensor, axes: tuple[Blur, Blur], weight: Tensor) -> Tensor:
    """Blurs a map between the scalings of its sources and of its targets.

    Args:
        values: `(1, height, width, k)`.
        axes: The blur down and across.
        weight: A factor of the answer.

    Returns:
        The map at the places that the targets' scales are made for.
    """
    (rows, down, to_rows), (columns, across, to_columns) = (
        [ops.convert_to_tensor(part, "float32") for part in axis] for axis in axes
    )
    values = values * rows[:, None, None] * columns[None, :, None]
    pads = [
        (taps.shape[0] // 2, taps.shape[0] // 2 + targets.shape[0] - scale.shape[0])
        for scale, taps, targets in axes
    ]
    values = ops.pad(values, ((0, 0), *pads, (0, 0)))
    ones = ops.ones((1, 1, values.shape[-1], 1), dtype="float32")
    for kernel in (down[:, None, None, None], across[None, :, None, None]):
        values = ops.depthwise_conv(
            values, kernel * ones, padding="valid", data_format="channels_last"
        )
    return values * (to_rows[:, None, None] * weight) * to_columns[None, :, None]


def between(
    near: Tensor, source: Grid, target: Grid, strip: slice, shape: tuple[int, ...]
) -> Tensor:
    """Reads a blurred map on a strip of a grid that is as fine or finer.

    Args:
        near: What `blur` gave, from the target's first pixel on at the source's
            distance.
        source: The grid that was blurred.
        target: The grid to read on.
        strip: Rows of its tiles.
        shape: Of the result; what lies farther right or down is left out.

    Returns:
        `(1, height, width, k)` of the strip.
    """
    rows = target.rows(strip)
    factor = source.stride // target.stride
    start, stop = rows.start // factor, rows.stop // factor
    if factor == 1:
        return ops.slice(near, (0, start, 0, 0), shape)
    size = ((stop - start) * factor + 1, (near.shape[2] - 1) * factor + 1)
    part = ops.slice(near, (0, start, 0, 0), (1, stop - start + 1, *near.shape[2:]))
    return ops.slice(resize_bilinear(part, size), (0, 0, 0, 0), shape)
