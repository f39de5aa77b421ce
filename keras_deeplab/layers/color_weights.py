"""The pixels of a tile that others are like, by colour."""

from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers.color_palette import split_square

# Columns of ones beside a colour, for the two parts of a square.
ONES = 2
# Over the exponent of the colour kernel: a wide one would else blur the message.
_SHARPNESS = 2.0


def color_weights(colors: Tensor, samples: Tensor) -> Tensor:
    """Returns how much each pixel is like each sample; of a pixel they sum to one.

    Args:
        colors: `(tiles, pixels, 3 + ONES)`: in widths of the colour kernel, and ones.
        samples: `(tiles, samples, 3)`, in widths.

    Returns:
        `(tiles, pixels, samples)`.
    """
    # A pixel's own square would be the same for all samples. A GPU that rounds the
    # factors to 11 bits moves a colour by a hundredth of the width.
    rows = ops.concatenate([samples, *split_square(samples)], axis=-1)
    rows = ops.transpose(_SHARPNESS * rows, (0, 2, 1))
    return ops.softmax(ops.matmul(colors, rows), axis=-1)
