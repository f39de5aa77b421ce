"""Photos whose colours are their labels."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import (
    SegmentationData,
    label_colors,
    match_pairs,
    write_labels,
)

CLASSES = 5


@pytest.fixture
def colored(tmp_path: pathlib.Path) -> SegmentationData:
    """Seven pairs of different sizes, in which a label has its own colour."""
    random = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for index in range(7):
        # Patches, because at their borders colours blend.
        patches = random.integers(0, CLASSES, (3 + index % 3, 4))
        labels = patches.repeat(14, axis=0).repeat(12, axis=1).astype("uint8")
        photo = Image.fromarray(label_colors(CLASSES)[labels])
        photo.save(tmp_path / "images" / f"{index}.png")
        write_labels(tmp_path / "masks" / f"{index}.png", labels)
    return SegmentationData(
        pairs=match_pairs(tmp_path / "images", tmp_path / "masks"),
        class_names=[f"class {label}" for label in range(CLASSES)],
    )
