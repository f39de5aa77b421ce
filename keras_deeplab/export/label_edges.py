"""Labels at full size, computed where they change and repeated elsewhere.

Between two rows of coarse logits all logits are interpolated. Where one class is the
largest in both, it is the largest everywhere between them, and most of a photo is like
that: only the rest, the edges of things, needs its logits at full size.
"""

import numpy as np
import tensorflow as tf

from keras_deeplab._types import Tensor
from keras_deeplab.export.label_strips import dtype_of_labels
from keras_deeplab.layers import resize_bilinear


def rows_between(coarse_height: int, height: int) -> int | None:
    """Rows of the result for each of the coarse map, or `None` if they do not align.

    Args:
        coarse_height: Height of the coarse logits.
        height: Height of the result.
    """
    if coarse_height < 2 or height < 2 or (height - 1) % (coarse_height - 1):
        return None
    return (height - 1) // (coarse_height - 1)


def labels_along_edges(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Does what `labels_at` does, faster the fewer edges there are.

    It never holds the resized logits of more than the edges, in the worst case those of
    all pixels. The shapes inside are known only when it runs, which delegates for GPUs
    do not take.

    Args:
        logits: float32 of known shape, `(1, h, w, classes)`.
        size: Height and width of the result; the height is `k * (h - 1) + 1`.

    Returns:
        `(1, *size)`: uint8 up to 256 classes, or else int32.
    """
    height, width = size
    _, coarse_height, _, classes = logits.shape
    step = rows_between(coarse_height, height) or 1
    rows = resize_bilinear(logits, (coarse_height, width))
    pixels = tf.reshape(rows, (-1, classes))
    # Pixels of the coarse rows in one line: the next row is `width` further on.
    coarse = tf.argmax(pixels, axis=-1, output_type=tf.int32)
    differ = tf.where(coarse[:-width] != coarse[width:])
    above = tf.cast(differ, tf.int32)
    between = _labels_between(pixels, above[:, 0], width, step)
    place = above + above // width * ((step - 1) * width) + np.arange(step) * width
    changes = tf.scatter_nd(
        tf.reshape(place, (-1, 1)),
        tf.reshape(between - tf.gather(coarse, above), (-1,)),
        (height * width,),
    )
    repeated = tf.gather(
        tf.reshape(coarse, (coarse_height, width)), np.arange(height) // step
    )
    labels = tf.reshape(repeated, (-1,)) + changes
    return tf.reshape(tf.cast(labels, dtype_of_labels(classes)), (1, height, width))


def _labels_between(pixels: Tensor, above: Tensor, width: int, step: int) -> Tensor:
    """Labels from each pixel `above` down to before the one below, `(n, step)`."""
    ends = tf.stack([tf.gather(pixels, above), tf.gather(pixels, above + width)], 1)
    columns = tf.reshape(ends, (-1, 2, 1, pixels.shape[1]))
    columns = resize_bilinear(columns, (step + 1, 1))
    # Cut only now: LiteRT cuts floats, which are many more, slowly.
    labels = tf.argmax(columns, axis=-1, output_type=tf.int32)
    return tf.reshape(labels, (-1, step + 1))[:, :step]
