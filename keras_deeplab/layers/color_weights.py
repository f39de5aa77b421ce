"""The pixels of a tile that others are like, by colour."""

from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers.color_palette import split_square, to_color_step

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
    # GPUs round the factors of a product to 11 bits. A pixel is then moved by a
    # hundredth of the width, and so is its own square, which is the same for all
    # samples; of samples product and square have to be of the same numbers.
    samples = to_color_step(samples)
    rows = ops.concatenate([samples, *split_square(samples)], axis=-1)
    rows = ops.transpose(_SHARPNESS * rows, (0, 2, 1))
    return ops.softmax(ops.matmul(colors, rows), axis=-1)
