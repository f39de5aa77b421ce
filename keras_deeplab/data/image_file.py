"""Opening image files, with one answer to those that are none."""

import contextlib
import struct
import threading
import warnings
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from keras_deeplab.data.photo_files import PHOTO_SUFFIXES

# Everything Pillow's decoders raise on bytes that are not a whole, sane image.
_DECODE_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    Image.DecompressionBombError,
)


class DecodeError(ValueError):
    """An image that cannot be decoded.

    Args:
        message: The whole message.
        reason: What is wrong, to follow the file's name.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, reason)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[0])


class _QuietPillow:
    """Hides Pillow's warnings as long as any thread is inside.

    Warning filters belong to the process: threads that each restored what they had
    found would leave them as another one had set them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\b")

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._saved.__exit__(None, None, None)


#: To be entered around threads that decode: the filters then change only once.
quiet_pillow = _QuietPillow()


def open_image(file: BinaryIO) -> ImageFile.ImageFile:
    """Opens an image of a format that photos come in, without decoding its pixels.

    Args:
        file: The image file, open for reading.

    Returns:
        The image; its `format` is a key of `PHOTO_SUFFIXES`, or `"MPO"`.
    """
    # Named, because Pillow otherwise also tries formats that start other programs.
    Image.init()
    formats = [name for name in PHOTO_SUFFIXES if name in Image.OPEN]
    return Image.open(file, formats=formats)


@contextlib.contextmanager
def decoding(subject: str, advice: str) -> Iterator[None]:
    """Turns whatever goes wrong while an image is opened and decoded into one error.

    Args:
        subject: What the error's sentence begins with.
        advice: What follows it.

    Raises:
        DecodeError: If the image is none, is cut short, or unpacks to more pixels than
            Pillow allows (`2 * PIL.Image.MAX_IMAGE_PIXELS`).
    """
    try:
        # Pillow warns of odd metadata and of large photos; neither is an error here.
        with quiet_pillow:
            yield
    except _DECODE_ERRORS as error:
        reason = _reason(error)
        raise DecodeError(f"{subject} {reason}. {advice}", reason) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "is not an image"
    if isinstance(error, Image.DecompressionBombError):
        return (
            "unpacks to an unreasonable size and was refused: "
            f"{str(error).split(',')[0]}"
        )
    return f"cannot be decoded: {str(error).rstrip('.') or type(error).__name__}"
