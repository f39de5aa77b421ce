"""Photos and their masks: which belong together, and whether they fit."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_deeplab.inference.labels_png import read_labels
from keras_deeplab.inference.photo import read_photo
from keras_deeplab.inference.photo_files import image_files, photos_in

_SHOWN_NAMES = 5


@dataclass(frozen=True)
class EvaluationPair:
    """A photo and its mask.

    Args:
        image: The photo's file.
        mask: The mask's file, of the same name up to the ending.
    """

    image: Path
    mask: Path


def match_pairs(
    images_dir: str | os.PathLike[str], masks_dir: str | os.PathLike[str]
) -> tuple[EvaluationPair, ...]:
    """Pairs the photos of one folder with the masks of another, by name.

    Args:
        images_dir: Folder of photos. Label maps and overlays written by this package
            are not taken for photos.
        masks_dir: Folder of masks.

    Returns:
        The pairs, sorted by name.

    Raises:
        ValueError: If a folder holds no images, two files of one folder differ only
            in their ending, or a file has no partner.
    """
    images, masks = _by_stem(photos_in(images_dir)), _by_stem(image_files(masks_dir))
    problems = [
        f"no {what} for {_listed(lonely)}"
        for what, lonely in (
            ("mask", [images[stem].name for stem in images.keys() - masks.keys()]),
            ("image", [masks[stem].name for stem in masks.keys() - images.keys()]),
        )
        if lonely
    ]
    if problems:
        raise ValueError(
            "Every image needs a mask of the same name up to the ending, and every "
            f"mask an image. Received: {'; '.join(problems)}"
        )
    return tuple(EvaluationPair(images[stem], masks[stem]) for stem in sorted(images))


def problem_of(
    pair: EvaluationPair, classes: int, ignore_label: int | None
) -> str | None:
    """Says what keeps a pair from being evaluated.

    Args:
        pair: The pair; both files are read.
        classes: Number of classes of the model.
        ignore_label: Label that masks may hold beside the classes.

    Returns:
        A sentence that names the file, or `None` if all is well.
    """
    try:
        photo, mask = read_photo(pair.image), read_labels(pair.mask)
    except (OSError, ValueError) as error:
        return str(error)
    if photo.shape[:2] != mask.shape:
        return f"{pair.mask} is {_size(mask)} pixels but {pair.image} is {_size(photo)}"
    allowed = [*range(classes), *([] if ignore_label is None else [ignore_label])]
    strange = np.setdiff1d(mask, allowed).tolist()
    if strange:
        return (
            f"{pair.mask} holds {_listed(strange)}, but labels go from 0 to "
            f"{classes - 1}"
            f"{'' if ignore_label is None else f', and {ignore_label} is ignored'}"
        )
    return None


def _by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found:
            raise ValueError(
                "Images and masks are matched by name without the ending, which must "
                f"be unique in a folder. Received: {found[path.stem]} and {path.name}"
            )
        found[path.stem] = path
    return found


def _listed(values: Iterable[Any]) -> str:
    ordered = sorted(values)
    more = len(ordered) - _SHOWN_NAMES
    shown = ", ".join(map(str, ordered[:_SHOWN_NAMES]))
    return f"{shown} and {more} more" if more > 0 else shown


def _size(pixels: np.ndarray[Any, Any]) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"
