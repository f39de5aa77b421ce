"""A photo and its mask, read and checked."""

from typing import Any, NamedTuple

import numpy as np

from keras_deeplab.data.label_table import LabelTable
from keras_deeplab.data.labels_png import read_labels
from keras_deeplab.data.photo import read_photo
from keras_deeplab.data.sample_pair import SamplePair


class Sample(NamedTuple):
    """A photo and the labels of its pixels.

    Attributes:
        image: RGB of 0 to 255, `(H, W, 3)`.
        labels: Integers, `(H, W)`.
    """

    image: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]


def read_sample(pair: SamplePair, table: LabelTable) -> Sample:
    """Reads a photo with its mask and checks that they fit.

    Args:
        pair: The two files.
        table: What the values in the mask mean.

    Returns:
        The photo, uint8, and its labels.

    Raises:
        OSError: If a file is not there or may not be read.
        ValueError: If a file cannot be decoded, the mask holds colours or values that
            are no labels, or the sizes differ. The message names the files.
    """
    image, stored = read_photo(pair.image), read_labels(pair.mask)
    if image.shape[:2] != stored.shape:
        raise ValueError(
            f"{pair.mask} is {_size(stored)} pixels but {pair.image} is {_size(image)}"
        )
    try:
        return Sample(image, table.labels_of(stored))
    except ValueError as error:
        raise ValueError(f"{pair.mask} {error}") from None


def _size(pixels: np.ndarray[Any, Any]) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"
