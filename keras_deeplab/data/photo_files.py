"""Which files are photos."""

import os
from collections.abc import Iterable
from pathlib import Path

# Pillow's name of each format that photos come in, and its file names' endings.
PHOTO_SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".mpo"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "AVIF": (".avif",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "JPEG2000": (".jp2",),
    "PPM": (".ppm", ".pgm", ".pnm"),
}

# What `keras-deeplab segment` writes; never taken for a photo in a folder.
LABELS_ENDING = ".labels.png"
OVERLAY_ENDING = ".overlay.png"
CONFIDENCE_ENDING = ".confidence.png"
PROBABILITIES_ENDING = ".probabilities.npy"
_PICTURES = (OVERLAY_ENDING, CONFIDENCE_ENDING)


def image_files(folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Lists the image files of a folder, by the ending of their names.

    Hidden files and folders below are left out.

    Args:
        folder: The folder.

    Returns:
        Paths, sorted by name.

    Raises:
        ValueError: If `folder` is not a folder or holds no image file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"`folder` is not a folder. Received: folder={folder}")
    found = tuple(sorted(path for path in folder.iterdir() if _is_image(path)))
    if not found:
        raise ValueError(
            f"`folder` holds no image files ({', '.join(_SUFFIXES)}). "
            f"Received: folder={folder}"
        )
    return found


def photos_in(folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Lists the photos of a folder: its image files, without our own results.

    Args:
        folder: The folder.

    Returns:
        Paths, sorted by name.

    Raises:
        ValueError: If `folder` is not a folder or holds no photo.
    """
    photos = tuple(path for path in image_files(folder) if not _is_result(path))
    if not photos:
        raise ValueError(
            "`folder` holds only label maps and overlays of an earlier run. "
            f"Give one with photos. Received: folder={folder}"
        )
    return photos


def masks_in(folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Lists the masks of a folder: its image files, without our own pictures.

    Args:
        folder: The folder.

    Returns:
        Paths, sorted by name, also those of label maps that `segment` wrote.

    Raises:
        ValueError: If `folder` is not a folder or holds no image file.
    """
    files = image_files(folder)
    return tuple(path for path in files if not path.name.endswith(_PICTURES))


def list_photos(
    paths: Iterable[str | os.PathLike[str]],
) -> tuple[Path, ...]:
    """Turns files and folders into the photos they mean.

    A folder stands for the image files directly in it, sorted by name, without the
    label maps and overlays that an earlier run left there. A file is taken whatever
    its name. One that is named twice comes once.

    Args:
        paths: Files and folders.

    Returns:
        Paths of files, in the order given.

    Raises:
        FileNotFoundError: If a path does not exist.
        ValueError: If a folder holds no photo.
    """
    photos: dict[Path, Path] = {}
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"No such photo or folder: {path}")
        for photo in photos_in(path) if path.is_dir() else (path,):
            photos.setdefault(photo.resolve(), photo)
    return tuple(photos.values())


_SUFFIXES = tuple(s for suffixes in PHOTO_SUFFIXES.values() for s in suffixes)


def _is_image(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return not hidden and path.suffix.lower() in _SUFFIXES and path.is_file()


def _is_result(path: Path) -> bool:
    return path.name.endswith((LABELS_ENDING, *_PICTURES))
