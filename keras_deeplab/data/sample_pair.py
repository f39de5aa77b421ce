"""Photos and their masks: which belong together."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from keras_deeplab.data.listing import listed
from keras_deeplab.data.photo_files import image_files, photos_in


@dataclass(frozen=True)
class SamplePair:
    """A photo and its mask.

    Args:
        image: The photo's file.
        mask: The mask's file, PNG.
    """

    image: Path
    mask: Path


def match_pairs(
    images_dir: str | os.PathLike[str], masks_dir: str | os.PathLike[str]
) -> tuple[SamplePair, ...]:
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
        f"no {what} for {listed(lonely)}"
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
    return tuple(SamplePair(images[stem], masks[stem]) for stem in sorted(images))


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
