"""Labels at full size without the logits at full size."""

import tensorflow as tf

from keras_deeplab._types import Tensor
from keras_deeplab.layers import resize_bilinear

# Values of the logits of one strip: 4 MiB. All of 513 x 513 x 21 are 22 MB.
STRIP_VALUES = 2**20

_MOST_CLASSES_OF_A_BYTE = 256


def labels_of(logits: Tensor) -> Tensor:
    """Takes the largest class.

    Args:
        logits: float32, `(batch, height, width, classes)`.

    Returns:
        `(batch, height, width)`: uint8 up to 256 classes, or else int32.
    """
    # Of 64 bits, as by default, the argmax would be refused by mobile delegates.
    labels = tf.argmax(logits, axis=-1, output_type=tf.int32)
    few = logits.shape[3] <= _MOST_CLASSES_OF_A_BYTE
    return tf.cast(labels, tf.uint8) if few else labels


def labels_at(
    logits: Tensor, size: tuple[int, int], strip_values: int = STRIP_VALUES
) -> Tensor:
    """Resizes logits bilinearly, corners aligned, and takes the largest class.

    It works in horizontal strips, one after the other, and holds the resized logits of
    one. At sizes `k * (side - 1) + 1` each strip is resized from its own rows of
    `logits` by exactly the arithmetic of the whole. At others the rows are resized
    first and then the columns, which differs in rounding.

    Args:
        logits: float32 of known shape, `(1, h, w, classes)`.
        size: Height and width of the result.
        strip_values: The most resized logits to hold at a time.

    Returns:
        `(1, *size)`: uint8 up to 256 classes, or else int32.
    """
    height, width = size
    classes = logits.shape[3]
    if logits.shape[1] == 1 or (height - 1) % (logits.shape[1] - 1):
        logits = resize_bilinear(logits, (height, logits.shape[2]))
    intervals = max(logits.shape[1] - 1, 1)
    scale = (height - 1) // intervals
    rows = max(1, strip_values // (width * classes * max(scale, 1)))
    strips, wait = [], tf.constant(0)
    for top in range(0, intervals, rows):
        bottom = min(top + rows, intervals)
        part = _rows(logits, top + wait, min(bottom + 1, logits.shape[1]) - top)
        strip = resize_bilinear(part, ((bottom - top) * scale + 1, width))
        labels = labels_of(strip)
        # Always 0, which TFLite cannot know. Else it would resize every strip before
        # it took the labels of the first.
        wait = tf.minimum(tf.cast(labels[0, 0, 0], tf.int32), 0)
        # The last row is the first of the next strip.
        strips.append(labels if bottom == intervals else labels[:, :-1])
    return strips[0] if len(strips) == 1 else tf.concat(strips, axis=1)


def _rows(logits: Tensor, top: Tensor, rows: int) -> Tensor:
    _, height, width, classes = logits.shape
    if rows == height:
        return logits
    begin = tf.stack([0, top, 0, 0])
    return tf.slice(logits, begin, [1, rows, width, classes])
