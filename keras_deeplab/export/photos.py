"""Which photos an export is calibrated with and compared on."""

import os
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from keras_deeplab.data.photo import read_photo
from keras_deeplab.data.photo_files import list_photos
from keras_deeplab.inference.framing import frame_for, lay_out
from keras_deeplab.models import Segmenter

# A folder of photos, photos, or folders and photos.
PhotoSource = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

# The two that the package ships with.
_OWN = ("astronaut.jpg", "cat.jpg")


def find_photos(source: PhotoSource | None) -> tuple[Path, ...]:
    """Lists photos.

    Args:
        source: Files and folders, or one; by default the package's own two photos.

    Returns:
        Paths.

    Raises:
        OSError: If one is not there.
        ValueError: If a folder holds none.
    """
    if source is None:
        assets = files("keras_deeplab") / "assets"
        return tuple(Path(str(assets / name)) for name in _OWN)
    if isinstance(source, str | os.PathLike):
        return list_photos([source])
    return list_photos(source)


def laid_out(
    model: Segmenter, photos: Iterable[Path]
) -> Iterator[np.ndarray[Any, Any]]:
    """Reads photos and lays them out as `segment` does.

    Args:
        model: The model.
        photos: Files.

    Yields:
        RGB pixels of 0 to 255, float32 `(1, height, width, 3)`.
    """
    for photo in photos:
        image = read_photo(photo)
        frame = frame_for(model, (image.shape[0], image.shape[1]))
        yield lay_out(image, frame, model.pad_pixel)


def own_photo(model: Segmenter) -> np.ndarray[Any, Any]:
    """A photo of the package as an export of the model takes it, uint8 of batch 1."""
    (photo,) = laid_out(model, find_photos(None)[:1])
    return photo.round().astype("uint8")
