"""Any folder of photos and masks."""

import os
from collections.abc import Sequence
from pathlib import Path

from keras_deeplab.data.class_list import ClassList, read_class_list
from keras_deeplab.data.sample_pair import Pairing, check_pairing, pair_files
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.data.survey import Survey

_CLASS_FILES = ("classes.json", "classes.txt")


def load_folder(
    root: str | os.PathLike[str],
    *,
    classes: str | os.PathLike[str] | Sequence[str] | None = None,
    images: str = "images",
    masks: str = "masks",
) -> SegmentationData:
    """Finds the photos and masks of a folder.

    A photo and its mask have the same name up to the ending.

    Args:
        root: The folder.
        classes: Names of the classes, or a file of them, see `read_class_list`. By
            default `classes.json` or `classes.txt` in `root`, or in the folder above,
            where several splits share it.
        images: Folder of the photos in `root`.
        masks: Folder of the masks in `root`: PNG, palette or grey, one label a pixel.

    Returns:
        The pairs of files, and what the masks mean. Unless the file of classes says
        otherwise, a stored value is its own label, and 255 is ignored.

    Raises:
        OSError: If a file cannot be read.
        ValueError: If a folder or the file of classes is missing or of another form,
            or a file has no partner. The message names it.
    """
    root = Path(root)
    found = _classes(root, classes)
    pairing = pair_files(root / images, root / masks)
    check_pairing(pairing)
    return _data(pairing, found)


def survey_folder(
    root: str | os.PathLike[str],
    *,
    classes: str | os.PathLike[str] | Sequence[str] | None = None,
    images: str = "images",
    masks: str = "masks",
) -> Survey:
    """Does what `load_folder` does, and keeps what is wrong with files for an audit.

    Args:
        root: The folder.
        classes: Names of the classes, or a file of them.
        images: Folder of the photos in `root`.
        masks: Folder of the masks in `root`.

    Returns:
        The pairs, and the files that are in none.

    Raises:
        OSError: If a file of classes cannot be read.
        ValueError: If a folder or the file of classes is missing or of another form,
            or there is no pair at all.
    """
    root = Path(root)
    found = _classes(root, classes)
    pairing = pair_files(root / images, root / masks)
    if not pairing.pairs:
        check_pairing(pairing)
    return Survey(_data(pairing, found), pairing.problems)


def _data(pairing: Pairing, found: ClassList) -> SegmentationData:
    return SegmentationData(
        pairs=tuple(pairing.pairs.values()),
        class_names=found.names,
        ignore_label=found.ignore_label,
        label_map=found.label_map,
    )


def _classes(
    root: Path, classes: str | os.PathLike[str] | Sequence[str] | None
) -> ClassList:
    if isinstance(classes, str | os.PathLike):
        return read_class_list(classes)
    if classes is not None:
        return ClassList(tuple(classes))
    # Absolute, because the folder above `.` has no name.
    folders = (root.absolute(), root.absolute().parent)
    for path in (folder / name for folder in folders for name in _CLASS_FILES):
        if path.is_file():
            return read_class_list(path)
    raise ValueError(
        "The classes have no names: put a file classes.txt, one name a line, beside "
        f"the photos' folder, or give `classes`. Received: root={root}"
    )
