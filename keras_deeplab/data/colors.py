"""The colours of labels."""

from typing import Any

import numpy as np


def label_colors(classes: int = 256) -> np.ndarray[Any, Any]:
    """Returns the PASCAL VOC colours.

    The bits of a label are dealt out in turn to red, green and blue, highest bit of
    the colour first, so that neighbouring labels look different and label 0 is black.

    Args:
        classes: Number of colours, at least 1.

    Returns:
        uint8 RGB, `(classes, 3)`.

    Raises:
        ValueError: If `classes` is below 1.

    Examples:
        >>> keras_deeplab.data.label_colors(3).tolist()
        [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    """
    if classes < 1:
        raise ValueError(f"`classes` must be at least 1. Received: classes={classes}")
    labels = np.arange(classes)[:, None]
    channels = np.arange(3)[None, :]
    colors = np.zeros((classes, 3), "int64")
    for place in range(8):
        colors |= (labels >> (3 * place + channels) & 1) << (7 - place)
    return colors.astype("uint8")
