"""Reading a photo, whatever it is stored as."""

import os
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps

from keras_deeplab.data.file_part import FilePart, Source, open_source
from keras_deeplab.data.image_file import decoding, open_image

# What a caller may hand over as an image.
Photo = Source | Image.Image | np.ndarray[Any, Any]


def read_photo(source: Photo) -> np.ndarray[Any, Any]:
    """Reads a photo as 8-bit RGB, upright.

    The EXIF orientation is applied, so the result is the picture as a viewer shows
    it. Grey, palette, CMYK and 16-bit images are converted; of an animation the first
    frame is taken. Transparency is put on white, because that is the page on which a
    cut-out is looked at, and the colours under transparent pixels are arbitrary.

    Args:
        source: A path, a file inside another, a PIL image, or an array: uint8 or
            uint16 of shape `(H, W)`, `(H, W, 1)` grey, `(H, W, 3)` RGB or `(H, W, 4)`
            RGBA.

    Returns:
        uint8 RGB of shape `(H, W, 3)`.

    Raises:
        OSError: If the file is not there or may not be read.
        ValueError: If the file is not an image, is cut short, or unpacks to more
            pixels than Pillow allows (`2 * PIL.Image.MAX_IMAGE_PIXELS`); or an array
            has another shape or dtype. The message names the file.
        TypeError: If `source` is none of these.

    Examples:
        >>> keras_deeplab.data.read_photo(np.zeros((4, 6), "uint8")).shape
        (4, 6, 3)
    """
    if isinstance(source, np.ndarray):
        return np.array(_rgb(_image_of_array(source)))
    if isinstance(source, Image.Image):
        upright = _decode(lambda: ImageOps.exif_transpose(source), repr(source))
        return np.array(upright)
    if not isinstance(source, str | os.PathLike | FilePart):
        raise TypeError(
            "`image` must be a path, a PIL image or a NumPy array. "
            f"Received: image of type {type(source).__name__}"
        )
    return np.array(load_photo(source))


def load_photo(source: Source) -> Image.Image:
    """Does what `read_photo` does with a file, and leaves the pixels in Pillow.

    Args:
        source: A path, or a file inside another.

    Returns:
        RGB.

    Raises:
        OSError: If the file is not there or may not be read.
        ValueError: If it is not a whole image, as `read_photo` says.
    """
    with open_source(source) as file:
        return _decode(lambda: _upright(file), str(source))


def _decode(load: Callable[[], Image.Image], name: str) -> Image.Image:
    advice = (
        "Give a whole JPEG, PNG, TIFF, WebP or other image file. "
        f"Received: image={name}"
    )
    with decoding("`image`", advice):
        return _rgb(load())


def _upright(file: BinaryIO) -> Image.Image:
    image = open_image(file)
    # In place: an image that is upright already would be copied.
    ImageOps.exif_transpose(image, in_place=True)
    return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("its pixels are floating point, of unknown range")
    if image.mode.startswith("I"):
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    # Pillow would copy it.
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    # 65535 / 257 is 255 exactly; adding half rounds. Pillow opens some 16-bit files
    # as 32-bit integers, which therefore mean 16 bits here.
    wide = values.astype("int64")
    if wide.min() < 0 or wide.max() > 65535:
        raise ValueError("its pixels are 32-bit integers beyond 0..65535")
    return ((wide + 128) // 257).astype("uint8")


def _image_of_array(array: np.ndarray[Any, Any]) -> Image.Image:
    squeezed = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    grey = squeezed.ndim == 2
    colour = squeezed.ndim == 3 and squeezed.shape[2] in (3, 4)
    known = array.dtype in (np.uint8, np.uint16)
    if not (grey or colour) or not known or 0 in array.shape:
        raise ValueError(
            "`image` must be uint8 or uint16, (H, W), (H, W, 1), (H, W, 3) or "
            "(H, W, 4), and not empty. "
            f"Received: image of shape {array.shape}, dtype {array.dtype}"
        )
    eight = squeezed if array.dtype == np.uint8 else _eight_bits(squeezed)
    return Image.fromarray(eight)
