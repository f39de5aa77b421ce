"""The exponent of a Gaussian kernel as a product of two matrices.

Minus half the squared distance of two points is `exponent_columns(left)` times
`exponent_rows(right)`. Its large terms cancel, and GPUs round the factors of a product
(TF32): in parts, none of which has more bits than they keep, the terms stay whole.
"""

from keras import ops

from keras_deeplab._types import Tensor

# Of numbers up to 64 and 2**14: each high part then has no more than the 11 bits that
# TF32 keeps, and what is beyond them in a low part does not matter.
_POINT_STEP = 1 / 32
_SQUARE_STEP = 8.0


def exponent_columns(points: Tensor) -> Tensor:
    """Returns the left factor, `(..., 3 k + 4)`, of points `(..., k)`."""
    high, low = _cut(points, _POINT_STEP)
    own = _half_square(points)
    ones = [ops.ones_like(part) for part in own]
    return ops.concatenate([high, high, low, *ones, *own], axis=-1)


def exponent_rows(points: Tensor) -> Tensor:
    """Returns the right factor, `(3 k + 4, count)`, of points `(count, k)`."""
    high, low = _cut(points, _POINT_STEP)
    own = _half_square(points)
    ones = [ops.ones_like(part) for part in own]
    # Of a whole that is transposed TFLite makes another operation, a slow one.
    rows = [ops.transpose(part) for part in (high, low, points, *own, *ones)]
    return ops.concatenate(rows, axis=0)


def _half_square(points: Tensor) -> tuple[Tensor, Tensor]:
    square = -0.5 * ops.sum(points * points, axis=-1, keepdims=True)
    return _cut(square, _SQUARE_STEP)


def _cut(values: Tensor, step: float) -> tuple[Tensor, Tensor]:
    high = step * ops.floor(values / step + 0.5)
    return high, values - high
