import pathlib

import numpy as np
import pytest

from keras_deeplab.data import label_colors


def test_colors_of_voc_are_the_published_ones(data_dir: pathlib.Path) -> None:
    rows = (data_dir / "voc_sample" / "classes.txt").read_text().split("\n")
    colors = label_colors(256)
    for label, _, *color in (row.split() for row in rows if row):
        assert colors[int(label)].tolist() == list(map(int, color))


@pytest.mark.parametrize("classes", [1, 2, 21, 150, 256, 1000])
def test_colors_of_any_number_of_classes_differ(classes: int) -> None:
    colors = label_colors(classes)
    assert colors.shape == (classes, 3)
    assert colors.dtype == np.uint8
    assert len(np.unique(colors, axis=0)) == classes


def test_colors_of_no_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="Received: classes=0"):
        label_colors(0)
