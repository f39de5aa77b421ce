"""Photos that a page sends."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from keras_deeplab.data.image_file import DecodeError, decoding, open_image
from keras_deeplab.data.photo import read_photo

#: Bytes of a file at most.
MAX_BYTES = 32 * 2**20
#: Pixels of a photo at most: what it unpacks to is known before it is unpacked.
MAX_PIXELS = 64_000_000
#: Longer side at most; larger photos are reduced to it. The logits of a photo are kept.
MAX_SIDE = 1024

_ADVICE = "Give a whole JPEG, PNG, WebP, TIFF or other image file."


class UploadError(ValueError):
    """A file that is not taken; the message is for who sent it."""


@dataclass(frozen=True)
class Upload:
    """A photo that was sent.

    Args:
        pixels: uint8 RGB, `(H, W, 3)`, upright.
        sent_size: Height and width before it was reduced to `MAX_SIDE`.
    """

    pixels: np.ndarray[Any, Any]
    sent_size: tuple[int, int]


def read_upload(content: bytes) -> Upload:
    """Reads a photo from the bytes of its file.

    Args:
        content: An image file.

    Returns:
        The photo, its longer side at most `MAX_SIDE`.

    Raises:
        UploadError: If the bytes are no whole image, or too many, or unpack to more
            than `MAX_PIXELS` pixels.
    """
    if not content:
        raise UploadError(f"The file is empty. {_ADVICE}")
    if len(content) > MAX_BYTES:
        raise UploadError(too_large())
    try:
        with decoding("The file", _ADVICE):
            image = open_image(io.BytesIO(content))
        _check_pixels(*image.size)
        pixels = read_photo(image)
    except DecodeError as error:
        raise UploadError(f"The file {error.reason}. {_ADVICE}") from error
    return Upload(_reduced(pixels), (pixels.shape[0], pixels.shape[1]))


def too_large() -> str:
    """What is said about files of more than `MAX_BYTES`."""
    return f"The file is too large: {MAX_BYTES // 2**20} MB at most."


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UploadError(
            f"The photo is too large: {width} x {height} pixels. "
            f"{MAX_PIXELS / 1e6:.0f} megapixels at most."
        )


def _reduced(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if max(pixels.shape) <= MAX_SIDE:
        return pixels
    image = Image.fromarray(pixels)
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(image)
