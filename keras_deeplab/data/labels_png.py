"""Label maps as PNG files whose pixel values are the labels."""

import os
from typing import Any

import numpy as np
from PIL import Image

from keras_deeplab._atomic_file import write_atomically
from keras_deeplab.data.colors import label_colors
from keras_deeplab.data.file_part import Source, open_source
from keras_deeplab.data.image_file import decoding, open_image
from keras_deeplab.data.sample_error import SampleError

# Pillow spreads the grey values of 2 and 4 bits over 0..255, by these factors.
_SPREAD: dict[object, int] = {"L;2": 85, "L;4": 17}


def write_labels(path: str | os.PathLike[str], labels: np.ndarray[Any, Any]) -> None:
    """Writes a label map as an 8-bit palette PNG, whole or not at all.

    Viewers show the VOC colours; the stored values are the labels.

    Args:
        path: The file to write.
        labels: uint8, `(H, W)`.

    Raises:
        ValueError: If `labels` is not uint8 of two dimensions.
        OSError: If the file cannot be written.
    """
    image = labels_image(labels)
    write_atomically(path, lambda file: image.save(file, "PNG"))


def labels_image(labels: np.ndarray[Any, Any]) -> Image.Image:
    """Does what `write_labels` does, but for the file.

    Args:
        labels: uint8, `(H, W)`.

    Returns:
        A palette image.

    Raises:
        ValueError: If `labels` is not uint8 of two dimensions.
    """
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise ValueError(
            "`labels` must be uint8 of shape (H, W). "
            f"Received: labels of shape {labels.shape}, dtype {labels.dtype}"
        )
    image = Image.fromarray(labels)
    image.putpalette(label_colors(256).tobytes())
    return image


def read_labels(path: Source) -> np.ndarray[Any, Any]:
    """Reads a label map: the stored values, never colours.

    Args:
        path: A PNG file, palette or grey, of any depth; or one inside another file.

    Returns:
        Labels, `(H, W)`: uint16 of a file of 16 bits, uint8 of any other.

    Raises:
        ValueError: If the file is not a whole PNG, or holds colours. The message names
            it and says how to mend it.
        OSError: If the file cannot be opened.
    """
    advice = f"Give a whole PNG file whose pixels are labels. Received: {path}"
    with open_source(path) as file, decoding("The mask", advice):
        image = open_image(file)
        # Forgotten once the pixels are loaded.
        stored_as = image.tile[0][3] if image.format == "PNG" else None
        image.load()
    if image.format != "PNG":
        raise SampleError("mask_not_png", path, f"is of the format {image.format}")
    if image.mode not in ("1", "L", "P", "I;16"):
        raise SampleError(
            "mask_of_colors",
            path,
            f"holds colours, not labels: its mode is {image.mode}",
        )
    labels = np.array(image)
    if labels.dtype == bool:
        return labels.astype("uint8")
    if stored_as in _SPREAD:
        labels //= np.uint8(_SPREAD[stored_as])
    return labels
