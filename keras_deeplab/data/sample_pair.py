"""Photos and their masks: which belong together."""

import os
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from keras_deeplab.data.file_part import FilePart
from keras_deeplab.data.listing import listed
from keras_deeplab.data.photo_files import LABELS_ENDING, masks_in, photos_in
from keras_deeplab.data.sample_error import SampleError


@dataclass(frozen=True)
class SamplePair:
    """A photo and its mask.

    Args:
        image: The photo's file, or one inside another file.
        mask: The mask's, PNG.
    """

    image: Path | FilePart
    mask: Path | FilePart


@dataclass(frozen=True)
class Pairing:
    """The pairs among files, and the files that are in none.

    Args:
        pairs: The pairs by what names them.
        problems: What is wrong with the other files.
    """

    pairs: Mapping[str, SamplePair]
    problems: tuple[SampleError, ...] = ()

    def named(self, fault: str) -> list[Path]:
        """Returns the files that have a fault."""
        return [
            Path(str(error.path)) for error in self.problems if error.fault == fault
        ]


def pair_files(
    images_dir: str | os.PathLike[str], masks_dir: str | os.PathLike[str]
) -> Pairing:
    """Does what `match_pairs` does, and keeps what is wrong for the caller.

    Args:
        images_dir: Folder of photos.
        masks_dir: Folder of masks.

    Returns:
        The pairs by name, sorted; of files of one name the first.

    Raises:
        ValueError: If a folder holds no images.
    """
    problems: list[SampleError] = []
    images = _by_name(photos_in(images_dir), problems, lambda path: path.stem)
    masks = _by_name(
        masks_in(masks_dir), problems, lambda path: _mask_name(path, images)
    )
    for fault, lonely, what in (
        ("image_without_mask", {k: images[k] for k in images.keys() - masks}, "mask"),
        ("mask_without_image", {k: masks[k] for k in masks.keys() - images}, "image"),
    ):
        problems += [
            SampleError(fault, lonely[stem], f"has no {what}")
            for stem in sorted(lonely)
        ]
    stems = sorted(images.keys() & masks.keys())
    pairs = {stem: SamplePair(images[stem], masks[stem]) for stem in stems}
    return Pairing(pairs, tuple(problems))


def match_pairs(
    images_dir: str | os.PathLike[str], masks_dir: str | os.PathLike[str]
) -> tuple[SamplePair, ...]:
    """Pairs the photos of one folder with the masks of another, by name.

    Args:
        images_dir: Folder of photos. Label maps and overlays written by this package
            are not taken for photos.
        masks_dir: Folder of masks; `NAME.labels.png`, as `keras-deeplab segment` writes
            them, are masks of NAME, and its overlays are left out.

    Returns:
        The pairs, sorted by name.

    Raises:
        ValueError: If a folder holds no images, two files of one folder differ only
            in their ending, or a file has no partner.
    """
    pairing = pair_files(images_dir, masks_dir)
    check_pairing(pairing)
    return tuple(pairing.pairs.values())


def check_pairing(pairing: Pairing) -> None:
    """Refuses files that are in no pair.

    Args:
        pairing: Which belong together.

    Raises:
        ValueError: If a file has no partner or is not the only one of its name.
    """
    for error in pairing.problems:
        if error.fault == "same_name":
            raise error
    lost = pairing.named("missing_file")
    if lost:
        raise ValueError(f"Files are missing. Received: no {listed(lost)}")
    problems = [
        f"no {what} for {listed(path.name for path in pairing.named(fault))}"
        for what, fault in (
            ("mask", "image_without_mask"),
            ("image", "mask_without_image"),
        )
        if pairing.named(fault)
    ]
    if problems:
        raise ValueError(
            "Every image needs a mask of the same name up to the ending, and every "
            "mask an image. Add what is missing, or remove the file. "
            f"Received: {'; '.join(problems)}"
        )


def _mask_name(path: Path, images: Container[str]) -> str:
    """What its photo is called; `a.labels.png` is what `segment` says of `a`."""
    if path.stem in images or not path.name.endswith(LABELS_ENDING):
        return path.stem
    return path.name.removesuffix(LABELS_ENDING)


def _by_name(
    paths: Iterable[Path],
    problems: list[SampleError],
    name: Callable[[Path], str],
) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        first = found.setdefault(name(path), path)
        if first is not path:
            problems.append(
                SampleError("same_name", path, f"has the name of {first.name}")
            )
    return found
