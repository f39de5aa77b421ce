"""Labels at full size without the logits at full size."""

from typing import Any

import tensorflow as tf

from keras_deeplab._types import Tensor
from keras_deeplab.layers import resize_bilinear

# Values of the logits of one strip: 8 MiB. All of 513 x 513 x 21 are 22 MB.
STRIP_VALUES = 2**21

_MOST_CLASSES_OF_A_BYTE = 256


def dtype_of_labels(classes: int) -> Any:
    """The smaller of uint8 and int32 that holds the labels of so many classes."""
    return tf.uint8 if classes <= _MOST_CLASSES_OF_A_BYTE else tf.int32


def labels_of(logits: Tensor) -> Tensor:
    """Takes the largest class.

    Args:
        logits: float32, `(batch, height, width, classes)`.

    Returns:
        `(batch, height, width)`: uint8 up to 256 classes, or else int32.
    """
    # Of 64 bits, as by default, the argmax would be refused by mobile delegates.
    labels = tf.argmax(logits, axis=-1, output_type=tf.int32)
    return tf.cast(labels, dtype_of_labels(logits.shape[3]))


def labels_at(
    logits: Tensor, size: tuple[int, int], strip_values: int = STRIP_VALUES
) -> Tensor:
    """Resizes logits bilinearly, corners aligned, and takes the largest class.

    It works in horizontal strips, one after the other, and holds the resized logits of
    one. Rows are interpolated first, then columns.

    Args:
        logits: float32 of known shape, `(1, h, w, classes)`.
        size: Height and width of the result.
        strip_values: The most resized logits to hold at a time.

    Returns:
        `(1, *size)`: uint8 up to 256 classes, or else int32.
    """
    height, width = size
    _, _, coarse_width, classes = logits.shape
    logits = resize_bilinear(logits, (height, coarse_width))
    most = max(1, strip_values // (width * classes))
    strips, wait = [], tf.constant(0)
    for top in range(0, height, most):
        rows = min(most, height - top)
        part = _rows(logits, top + wait, rows)
        labels = labels_of(resize_bilinear(part, (rows, width)))
        # Always 0, which TFLite cannot know. Else it would resize every strip before
        # it took the labels of the first.
        wait = tf.minimum(tf.cast(labels[0, 0, 0], tf.int32), 0)
        strips.append(labels)
    return strips[0] if len(strips) == 1 else tf.concat(strips, axis=1)


def _rows(logits: Tensor, top: Tensor, rows: int) -> Tensor:
    _, height, width, classes = logits.shape
    if rows == height:
        return logits
    begin = tf.stack([0, top, 0, 0])
    return tf.slice(logits, begin, [1, rows, width, classes])


def labels_by_rows(
    logits: Tensor, size: Tensor, strip_values: int = STRIP_VALUES
) -> Tensor:
    """Does what `labels_at` does in a graph that learns the sizes when it runs.

    Rows are interpolated first, then columns.

    Args:
        logits: float32, `(h, w, classes)`.
        size: Height and width of the result, int32 `(2,)`.
        strip_values: The most resized logits to hold at a time.

    Returns:
        `size`: uint8 up to 256 classes, or else int32.
    """
    height, width = size[0], size[1]
    classes = logits.shape[2]
    rows = tf.clip_by_value(strip_values // (width * classes), 1, height)
    tops = tf.range(0, height, rows)
    last = tf.shape(logits)[0] - 1
    scale = tf.cast(last, tf.float32) / tf.cast(tf.maximum(height - 1, 1), tf.float32)

    def strip(top: Tensor) -> Tensor:
        # Below the last row, which fills the last strip up, it is repeated.
        index = tf.minimum(tf.range(top, top + rows), height - 1)
        position = tf.cast(index, tf.float32) * scale
        above = tf.minimum(tf.cast(position, tf.int32), last)
        below = tf.minimum(above + 1, last)
        share = (position - tf.cast(above, tf.float32))[:, None, None]
        between = (
            tf.gather(logits, above) * (1 - share) + tf.gather(logits, below) * share
        )
        return labels_of(resize_bilinear(between[None], (rows, width)))[0]

    strips = tf.map_fn(
        strip,
        tops,
        parallel_iterations=1,
        fn_output_signature=dtype_of_labels(classes),
    )
    return tf.reshape(strips, (-1, width))[:height]
