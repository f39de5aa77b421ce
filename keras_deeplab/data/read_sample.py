"""A photo and its mask, read and checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from keras_deeplab.data.decoded_pair import DecodedPair
from keras_deeplab.data.file_part import Source
from keras_deeplab.data.image_file import DecodeError
from keras_deeplab.data.label_table import LabelTable
from keras_deeplab.data.labels_png import read_labels
from keras_deeplab.data.photo import load_photo
from keras_deeplab.data.sample_error import SampleError
from keras_deeplab.data.sample_pair import SamplePair


class Sample(NamedTuple):
    """A photo and the labels of its pixels.

    Attributes:
        image: RGB of 0 to 255, `(H, W, 3)`.
        labels: Integers, `(H, W)`.
    """

    image: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]


def read_sample(pair: SamplePair, table: LabelTable) -> DecodedPair:
    """Reads a photo with its mask and checks that they fit.

    Args:
        pair: The two files.
        table: What the values in the mask mean.

    Returns:
        The photo and its labels.

    Raises:
        OSError: If a file is not there or may not be read.
        SampleError: If a file cannot be decoded, the mask holds colours or values that
            are no labels, or the sizes differ. The message names the files.
    """
    image, stored = read_image(pair), read_mask(pair)
    check_sizes(pair, image, stored)
    return DecodedPair(image, labels_in(pair, stored, table))


def read_image(pair: SamplePair) -> Image.Image:
    """Does the part of `read_sample` that concerns the photo."""
    with _named("unreadable_image", pair.image):
        return load_photo(pair.image)


def read_mask(pair: SamplePair) -> np.ndarray[Any, Any]:
    """Does the part of `read_sample` that concerns the mask's stored values."""
    with _named("unreadable_mask", pair.mask):
        return read_labels(pair.mask)


def check_sizes(
    pair: SamplePair, image: Image.Image, stored: np.ndarray[Any, Any]
) -> None:
    """Does the part of `read_sample` that compares the sizes."""
    size = stored.shape[::-1]
    if image.size != size:
        raise SampleError(
            "sizes_differ",
            pair.mask,
            f"is {_written(size)} pixels but {pair.image} is {_written(image.size)}",
        )


def labels_in(
    pair: SamplePair, stored: np.ndarray[Any, Any], table: LabelTable
) -> np.ndarray[Any, Any]:
    """Does the part of `read_sample` that turns stored values into labels."""
    try:
        return table.labels_of(stored)
    except ValueError as error:
        raise SampleError("label_out_of_range", pair.mask, str(error)) from None


@contextmanager
def _named(fault: str, path: Source) -> Iterator[None]:
    try:
        yield
    except DecodeError as error:
        raise SampleError(fault, path, error.reason) from error


def _written(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
