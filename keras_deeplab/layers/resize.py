"""The one bilinear resize of the package."""

import fractions
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Shape, Tensor
from keras_deeplab.layers import arguments


def resize_bilinear(
    inputs: Tensor, size: Iterable[Any], *, align_corners: bool = True
) -> Tensor:
    """Resizes a feature map by linear interpolation in both directions.

    With `align_corners` the centres of the corner pixels stay where they are: maps of
    `s * k + 1` and `k + 1` pixels then share every `s`-th pixel, which is why DeepLab
    crops are 321, 513 and 769 wide. Without it pixels are areas whose outer edges
    stay (half-pixel centres), the convention of `keras.layers.Resizing`. No
    antialiasing: this is for features and logits, not for shrinking photos.

    Args:
        inputs: `(batch, height, width, channels)`, floating point.
        size: Height and width of the result: integers, or scalar tensors.
        align_corners: Which of the two conventions.

    Returns:
        `(batch, *size, channels)`, float32.
    """
    inputs = ops.cast(inputs, "float32")
    height, width = size
    if keras.backend.backend() == "tensorflow":
        from keras_deeplab.layers import _tensorflow

        return _tensorflow.resize_bilinear(inputs, (height, width), align_corners)
    rows = interpolation_matrix(inputs.shape[1], int(height), align_corners)
    columns = interpolation_matrix(inputs.shape[2], int(width), align_corners)
    return ops.einsum("yh,bhwc,xw->byxc", rows, inputs, columns)


def interpolation_matrix(
    side: int, new_side: int, align_corners: bool, rows: slice = slice(None)
) -> np.ndarray[Any, Any]:
    """Returns the matrix that interpolates linearly along one axis.

    Args:
        side: Length of the axis before.
        new_side: Length after.
        align_corners: Which convention, as in `resize_bilinear`.
        rows: Which rows of the matrix are wanted, of all `new_side`.

    Returns:
        float32, `(new_side, side)`, or its `rows`.
    """
    index = np.arange(new_side)[rows]
    if align_corners:
        position = index * ((side - 1) / max(new_side - 1, 1))
    else:
        position = (index + 0.5) * (side / new_side) - 0.5
    position = np.clip(position, 0, side - 1)
    distance = np.abs(position[:, None] - np.arange(side)[None])
    return np.maximum(1 - distance, 0).astype("float32")


@register
class Resize(keras.layers.Layer):
    """Resizes a feature map bilinearly: to a size, by a factor, or like another map.

    Height and width may be unknown when the model is built. See `resize_bilinear` for
    the two alignment conventions.

    Args:
        size: Height and width of the result, or one integer for both.
        scale: Factor instead of a size: a side of `n` pixels becomes
            `floor((n - 1) * scale) + 1`, so that aligned corners stay aligned.
        align_corners: Whether corner centres stay in place (the official models) or
            pixel areas do (half-pixel centres).
        **kwargs: Passed to `keras.layers.Layer`, for example `name`, `dtype`.

    Call arguments:
        inputs: Feature map, see the input shape.
        like: Map whose height and width the result takes, where neither `size` nor
            `scale` is given.

    Input shape:
        `(batch, height, width, channels)`. Height and width may be `None`.

    Output shape:
        `(batch, new_height, new_width, channels)`, in the layer's compute dtype.

    Raises:
        ValueError: If `size` is not one or two positive integers, `scale` is not
            positive, or not exactly one of `size`, `scale` and `like` is given.

    Examples:
        >>> layer = keras_deeplab.layers.Resize((33, 65))
        >>> tuple(layer(keras.ops.zeros((1, 5, 9, 2))).shape)
        (1, 33, 65, 2)
    """

    def __init__(
        self,
        size: int | tuple[int, int] | None = None,
        *,
        scale: float | None = None,
        align_corners: bool = True,
        **kwargs: Any,
    ) -> None:
        checked = arguments.size_of(size=size)
        if scale is not None:
            scale = arguments.above_zero(scale=scale)
        super().__init__(**kwargs)
        self.size = checked
        self.scale = scale
        self.align_corners = align_corners

    def build(self, inputs_shape: Shape, like_shape: Shape | None = None) -> None:
        self._new_size(inputs_shape, like_shape)

    def call(self, inputs: Tensor, like: Tensor | None = None) -> Tensor:
        like_shape = None if like is None else ops.shape(like)
        size = self._new_size(ops.shape(inputs), like_shape)
        outputs = resize_bilinear(inputs, size, align_corners=self.align_corners)
        return ops.cast(outputs, self.compute_dtype)

    def _new_size(self, inputs_shape: Any, like_shape: Any) -> tuple[Any, Any]:
        given = [self.size, self.scale, like_shape]
        if sum(value is not None for value in given) != 1:
            raise ValueError(
                "Give exactly one of `size`, `scale` and, when calling, `like`. "
                f"Received: size={self.size}, scale={self.scale}, "
                f"like of shape {like_shape}"
            )
        if self.scale is not None:
            return tuple(_scaled(side, self.scale) for side in inputs_shape[1:3])
        return self.size or (like_shape[1], like_shape[2])

    def compute_output_shape(
        self, inputs_shape: Shape, like_shape: Shape | None = None
    ) -> Shape:
        size = self._new_size(inputs_shape, like_shape)
        return (inputs_shape[0], *size, inputs_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "size": self.size,
            "scale": self.scale,
            "align_corners": self.align_corners,
        }


def _scaled(side: Any, scale: float) -> Any:
    if side is None:
        return None
    # In whole numbers, so that a size that only the running graph knows comes out the
    # same, and 0.7 of 90 pixels is 63 though 0.7 * 90 falls below it.
    ratio = fractions.Fraction(float(scale)).limit_denominator(1000)
    return (side - 1) * ratio.numerator // ratio.denominator + 1
