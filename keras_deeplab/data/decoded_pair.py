"""A photo and its labels as they were decoded."""

from typing import Any, NamedTuple

import numpy as np
from PIL import Image


class DecodedPair(NamedTuple):
    """A photo that Pillow still holds, and the labels of its pixels.

    Most of what an augmented sample costs beside decoding is moving its pixels: an
    array is made of what a crop shows alone.

    Attributes:
        photo: RGB.
        labels: uint8, or uint16 where labels need it, `(H, W)`.
    """

    photo: Image.Image
    labels: np.ndarray[Any, Any]
