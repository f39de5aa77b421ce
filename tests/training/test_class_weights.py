import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import SamplePair, SegmentationData, load_dataset, write_labels
from keras_deeplab.training import median_frequency_weights


def data(folder: pathlib.Path, *masks: list[int]) -> SegmentationData:
    pairs = []
    for index, mask in enumerate(masks):
        pair = SamplePair(folder / f"{index}.jpg", folder / f"{index}.png")
        Image.new("RGB", (len(mask), 1)).save(pair.image)
        write_labels(pair.mask, np.array([mask], "uint8"))
        pairs.append(pair)
    return SegmentationData(pairs, ["a", "b", "c", "never"])


def test_weights_are_those_counted_by_hand(tmp_path: pathlib.Path) -> None:
    masks = data(tmp_path, [0, 0, 0, 1], [0, 2, 255, 255], [0, 0, 0, 0])
    # a: 8 of 12 pixels; b and c: 1 of the 4 of their image.
    weights = median_frequency_weights(masks)
    assert weights == pytest.approx([0.25 / (8 / 12), 1.0, 1.0, 100.0])
    tamed = median_frequency_weights(masks, power=0.5, limits=(0.9, 1.2))
    assert tamed == pytest.approx([0.9, 1.0, 1.0, 1.2])


def test_masks_without_a_label_are_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="must have a labelled pixel"):
        median_frequency_weights(data(tmp_path, [255, 255]))


@pytest.mark.slow
def test_weights_of_camvid_are_those_of_its_documentation(
    data_dir: pathlib.Path,
) -> None:
    train = load_dataset("camvid", data_dir / "camvid", "train")
    found = median_frequency_weights(train)
    # As the folder's own documentation counts them, to four digits.
    table = [0.2793, 0.2017, 4.7865, 0.1490, 1.0, 0.4217]
    table += [3.8467, 1.9736, 0.7889, 6.3747, 8.8587]
    assert found == pytest.approx(table, rel=5e-4)
