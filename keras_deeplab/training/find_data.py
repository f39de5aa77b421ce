"""The photos and masks of a training."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from keras_deeplab.data import DATASETS, SegmentationData, load_dataset, load_folder
from keras_deeplab.data.file_part import FilePart
from keras_deeplab.data.held_back import split_last
from keras_deeplab.layers import arguments
from keras_deeplab.training.recipe import Recipe


class Splits(NamedTuple):
    """What a training learns from, and what it is scored on.

    Attributes:
        train: Photos with masks.
        val: Others, of the same classes.
    """

    train: SegmentationData
    val: SegmentationData


def find_data(
    recipe: Recipe,
    root: str | os.PathLike[str],
    *,
    classes: str | os.PathLike[str] | None = None,
    validation: int | None = None,
    say: Callable[[str], object] | None = None,
) -> Splits:
    """Finds the data of a recipe, or one's own in their place.

    Args:
        recipe: Names the datasets.
        root: The folder in which the recipe's dataset was unpacked; or one with
            `images/` and `masks/`, or with `train/` and `val/` that each have these,
            and `classes.txt` or `classes.json`.
        classes: A file of classes, for a folder of one's own.
        validation: How many photos to score on, the last by name, of a folder that is
            not split. By default a fifth, and at least one.
        say: Told which photos these are.

    Returns:
        Both splits.

    Raises:
        OSError: If a file cannot be read.
        ValueError: If the folder is none of these, the splits differ in their classes,
            or `validation` leaves no photo on one side or is given for a folder that is
            split.
    """
    root = Path(root)
    if classes is not None or validation is not None:
        return _own(root, classes, validation, say)
    try:
        train, val = (_of_recipe(recipe, field, root) for field in Splits._fields)
    except ValueError as error:
        if not (_is_split(root) or _is_whole(root)):
            raise
        try:
            return _own(root, None, None, say)
        except ValueError as other:
            raise ValueError(
                f"{root} is neither the dataset of the recipe nor a folder of one's "
                f"own. The first: {error}. The second: {other}"
            ) from other
    return Splits(train, val)


def data_digest(data: SegmentationData) -> str:
    """Tells data apart by the names and sizes of the files, and the classes.

    Args:
        data: Photos with masks.

    Returns:
        A SHA-256. The folder they lie in does not count.
    """
    digest = hashlib.sha256(repr((data.class_names, data.ignore_label)).encode())
    for pair in data.pairs:
        for file in (pair.image, pair.mask):
            digest.update(f"{file.name} {_size(file)}\n".encode())
    return digest.hexdigest()


def _size(file: Path | FilePart) -> int:
    return file.size if isinstance(file, FilePart) else file.stat().st_size


def _of_recipe(recipe: Recipe, part: str, root: Path) -> SegmentationData:
    field = f"{part}_data"
    name, split = getattr(recipe, field)
    # `load_dataset` would speak of its own `name`, which nobody gave here.
    arguments.check_choice(DATASETS, **{field: name})
    return load_dataset(name, root, split)


def _is_split(root: Path) -> bool:
    return (root / "train" / "images").is_dir()


def _is_whole(root: Path) -> bool:
    return all((root / part).is_dir() for part in ("images", "masks"))


def _own(
    root: Path,
    classes: str | os.PathLike[str] | None,
    validation: int | None,
    say: Callable[[str], object] | None,
) -> Splits:
    if _is_whole(root) and not _is_split(root):
        return _held_back(load_folder(root, classes=classes), validation, say)
    if validation is not None:
        raise ValueError(
            "`validation` is for a folder with images/ and masks/, of which it holds "
            f"photos back: leave it out. Received: validation={validation} for {root}"
        )
    train, val = (
        load_folder(root / part, classes=classes) for part in ("train", "val")
    )
    if train.class_names != val.class_names:
        raise ValueError(
            "`train` and `val` must have the same classes. "
            f"Received: {train.class_names} and {val.class_names}"
        )
    return Splits(train, val)


def _held_back(
    data: SegmentationData,
    validation: int | None,
    say: Callable[[str], object] | None,
) -> Splits:
    count = max(1, len(data) // 5) if validation is None else validation
    splits = Splits(*split_last(data, count))
    if say is not None:
        first, last = (splits.val.pairs[end].image.name for end in (0, -1))
        say(
            f"Scoring on the last {count} of {len(data)} photos by name, {first} to "
            f"{last}"
        )
    return splits
