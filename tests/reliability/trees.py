"""Folders of photos and masks, and what is in a folder."""

import pathlib

import numpy as np
from PIL import Image

from keras_deeplab.data import write_labels

NAMES = ("background", "red", "green", "blue")
COLORS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], "uint8")


def write_pairs(root: pathlib.Path, count: int = 3) -> pathlib.Path:
    """Photos whose colours are their labels, and `classes.txt`."""
    random = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for index in range(count):
        patches = random.integers(0, 4, (3, 4))
        labels = patches.repeat(8, axis=0).repeat(8, axis=1).astype("uint8")
        Image.fromarray(COLORS[labels]).save(root / "images" / f"{index}.png")
        write_labels(root / "masks" / f"{index}.png", labels)
    (root / "classes.txt").write_text("\n".join(NAMES))
    return root


def files_in(folder: pathlib.Path) -> dict[str, bytes]:
    """The content of every file, by its name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
