"""Label maps as PNG files whose pixel values are the labels."""

import os
from typing import Any

import numpy as np
from PIL import Image

from keras_deeplab.inference.atomic_file import write_atomically
from keras_deeplab.inference.colors import label_colors


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
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise ValueError(
            "`labels` must be uint8 of shape (H, W). "
            f"Received: labels of shape {labels.shape}, dtype {labels.dtype}"
        )
    image = Image.fromarray(labels)
    image.putpalette(label_colors(256).tobytes())
    write_atomically(path, lambda file: image.save(file, "PNG"))


def read_labels(path: str | os.PathLike[str]) -> np.ndarray[Any, Any]:
    """Reads a label map: the stored values, never colours.

    Args:
        path: A palette or grey image file, 8 or 16 bits.

    Returns:
        uint8 or uint16 labels, `(H, W)`.

    Raises:
        ValueError: If the file is not a whole image, or holds colours.
        OSError: If the file cannot be opened.
    """
    with open(path, "rb") as file:
        try:
            image: Image.Image = Image.open(file)
            image.load()
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise ValueError(
                "A mask must be a whole image file whose pixel values are labels. "
                f"Received: {os.fspath(path)}"
            ) from error
    if image.mode == "1":
        image = image.convert("L").point(lambda value: value // 255)
    if image.mode not in ("P", "L", "I;16", "I;16B", "I"):
        raise ValueError(
            "A mask must hold one label a pixel (palette or grey), not colours. "
            f"Received: {os.fspath(path)} with mode {image.mode}"
        )
    return np.array(image)
