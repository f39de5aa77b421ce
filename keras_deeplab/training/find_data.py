"""The photos and masks of a training."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from keras_deeplab.data import SegmentationData, load_dataset, load_folder
from keras_deeplab.data.file_part import FilePart
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
) -> Splits:
    """Finds the data of a recipe, or one's own in their place.

    Args:
        recipe: Names the datasets.
        root: The folder in which the recipe's dataset was unpacked; or one with
            `train/` and `val/`, each with `images/` and `masks/`, and `classes.txt` or
            `classes.json`.
        classes: A file of classes, for a folder of one's own.

    Returns:
        Both splits.

    Raises:
        OSError: If a file cannot be read.
        ValueError: If the folder is neither, or the splits differ in their classes.
    """
    if classes is not None:
        return _own(Path(root), classes)
    try:
        train, val = (
            load_dataset(name, root, split)
            for name, split in (recipe.train_data, recipe.val_data)
        )
    except ValueError as error:
        if not (Path(root) / "train" / "images").is_dir():
            raise
        try:
            return _own(Path(root), None)
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


def _own(root: Path, classes: str | os.PathLike[str] | None) -> Splits:
    train, val = (
        load_folder(root / part, classes=classes) for part in ("train", "val")
    )
    if train.class_names != val.class_names:
        raise ValueError(
            "`train` and `val` must have the same classes. "
            f"Received: {train.class_names} and {val.class_names}"
        )
    return Splits(train, val)
