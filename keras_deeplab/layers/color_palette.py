"""The colours of a photo through a few of them: a kernel of low rank.

The kernel of two colours, `exp(-|c - d|^2 / 2)` in units of its width, is read through
a palette `p` of the photo's own colours (the Nystrom method): `F M^-1 F^T` with
`F = k(c, p)` and `M = k(p, p)`.
"""

import numpy as np
from keras import ops

from keras_deeplab._types import Tensor

# The most by which the palette's own kernel stretches one direction over another, which
# single precision inverts safely: where colours are alike it would be without bound.
_CONDITION = 1e3
# Doublings of the correct digits of the inverse, which `_CONDITION` makes sufficient.
_INVERSE_STEPS = 13
# Of numbers up to 64 and 2**14, in units of the kernel's width: each part then has no
# more than the 11 bits that TF32 keeps, and what is beyond them does not matter.
_COLOR_STEP = 1 / 32
_SQUARE_STEP = 8.0
# A colour that is like none of the palette by more sees nothing, and is not scaled up.
_FARTHEST = 1e-30
# Share of a pixel that goes to the nearest palette colour when the palette moves.
_SHARPNESS = 8.0
_GOLDEN = (5**0.5 - 1) / 2


def sample_colors(pixels: Tensor, count: int) -> Tensor:
    """Returns the colours of at most `count` rows and columns, `(pixels, 3)`.

    Args:
        pixels: `(1, height, width, 3)`.
        count: Rows and columns that are taken.
    """
    for axis in (1, 2):
        side = pixels.shape[axis]
        places = np.linspace(0, side - 1, min(count, side)).round()
        pixels = ops.take(pixels, places.astype("int32"), axis=axis)
    return ops.reshape(pixels, (-1, 3))


def choose_palette(colors: Tensor, count: int, steps: int) -> Tensor:
    """Chooses palette colours: some of the pixels, moved to the means of those nearest.

    Args:
        colors: `(pixels, 3)`, in units of the kernel's width, about zero.
        count: Number of palette colours; more than there are pixels is allowed.
        steps: Rounds of k-means.

    Returns:
        `(count, 3)`, without a gradient.
    """
    colors = ops.stop_gradient(colors)
    pixels = colors.shape[0]
    # Multiples of the golden ratio are spread evenly, and fall into no column.
    chosen = np.floor(np.arange(count) * _GOLDEN % 1 * pixels).astype("int32")
    palette = ops.take(colors, chosen, axis=0)
    columns = _SHARPNESS * color_columns(colors)
    counted = ops.concatenate([colors, ops.ones_like(colors[:, :1])], axis=-1)
    for _ in range(steps):
        share = ops.softmax(ops.matmul(columns, palette_rows(palette)), axis=-1)
        palette = _moved(palette, ops.matmul(ops.transpose(counted), share))
    return ops.stop_gradient(palette)


def color_features(columns: Tensor, rows: Tensor) -> Tensor:
    """Returns the kernel of pixels and palette.

    Args:
        columns: `color_columns` of the pixels, in units of the kernel's width.
        rows: `palette_rows` of the palette, in the same units.

    Returns:
        `(..., pixels, count)`.
    """
    return ops.exp(ops.matmul(columns, rows))


def feature_scale(features: Tensor, snap: float) -> Tensor:
    """Returns a factor for the features of each pixel, `(..., pixels, 1)`.

    Args:
        features: Of `color_features`.
        snap: How much of the distance to the nearest palette colour is forgotten.
    """
    nearest = ops.max(features, axis=-1, keepdims=True)
    return ops.exp(-snap * ops.log(ops.maximum(nearest, _FARTHEST)))


def inverse_kernel(palette: Tensor) -> Tensor:
    """Inverts the palette's own kernel by products of matrices alone (Newton-Schulz).

    Args:
        palette: `(count, 3)`, in units of the kernel's width.

    Returns:
        `(count, count)`.
    """
    count = palette.shape[0]
    eye = ops.eye(count, dtype="float32")
    exponent = ops.matmul(color_columns(palette), palette_rows(palette))
    kernel = ops.exp(ops.minimum(exponent, 0.0))
    norm = ops.max(ops.sum(kernel, axis=0))
    kernel = kernel + norm / _CONDITION * eye
    inverse = eye / (norm * (1 + 1 / _CONDITION))
    for _ in range(_INVERSE_STEPS):
        inverse = ops.matmul(inverse, 2 * eye - ops.matmul(kernel, inverse))
    return inverse


# The exponent of the kernel, minus half the squared distance, is the product of these
# two. Its large terms cancel, and GPUs round the factors of a product (TF32): in parts
# they stay whole.


def color_columns(colors: Tensor) -> Tensor:
    """Returns the left factor of the exponent, `(..., 13)`, of colours `(..., 3)`."""
    high, low = _cut(colors, _COLOR_STEP)
    own = split_square(colors)
    ones = [ops.ones_like(part) for part in own]
    return ops.concatenate([high, high, low, *ones, *own], axis=-1)


def palette_rows(palette: Tensor) -> Tensor:
    """Returns the right factor, `(13, count)`, of colours `(count, 3)`."""
    high, low = _cut(palette, _COLOR_STEP)
    own = split_square(palette)
    ones = [ops.ones_like(part) for part in own]
    # The low part of a colour takes the palette whole.
    # Of a whole that is transposed TFLite makes another operation, a slow one.
    rows = [ops.transpose(part) for part in (high, low, palette, *own, *ones)]
    return ops.concatenate(rows, axis=0)


def split_square(colors: Tensor) -> tuple[Tensor, Tensor]:
    """Returns two parts of minus half the square of colours, each `(..., 1)`."""
    square = -0.5 * ops.sum(colors * colors, axis=-1, keepdims=True)
    return _cut(square, _SQUARE_STEP)


def to_color_step(colors: Tensor) -> Tensor:
    """Rounds colours to numbers that stay whole in a product on every device."""
    high, low = _cut(colors, _COLOR_STEP)
    # With the gradient of what was not rounded.
    return high + (low - ops.stop_gradient(low))


def _cut(values: Tensor, step: float) -> tuple[Tensor, Tensor]:
    high = step * ops.floor(values / step + 0.5)
    return high, values - high


def _moved(palette: Tensor, sums: Tensor) -> Tensor:
    # A palette colour without pixels stays where it is.
    sums = ops.transpose(sums) + 1e-3 * ops.concatenate(
        [palette, ops.ones_like(palette[:, :1])], axis=-1
    )
    return sums[:, :3] / sums[:, 3:]
