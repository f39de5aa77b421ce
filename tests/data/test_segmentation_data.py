import pathlib
import pickle
from types import MappingProxyType

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import SamplePair, SegmentationData, write_labels


@pytest.fixture
def pair(tmp_path: pathlib.Path) -> SamplePair:
    Image.new("RGB", (3, 2), (1, 2, 3)).save(tmp_path / "photo.png")
    write_labels(tmp_path / "mask.png", np.array([[0, 1, 9], [1, 1, 0]], "uint8"))
    return SamplePair(tmp_path / "photo.png", tmp_path / "mask.png")


def test_sample_is_the_photo_and_the_labels_through_the_map(pair: SamplePair) -> None:
    data = SegmentationData([pair], ["a", "b"], label_map={0: 1, 1: 0, 9: 255})
    image, labels = data.read(0)
    assert labels.tolist() == [[1, 0, 255], [0, 0, 1]]
    assert (image == (1, 2, 3)).all()
    assert image.dtype == "uint8"


def test_mask_of_another_size_is_refused_naming_both_files(pair: SamplePair) -> None:
    write_labels(pair.mask, np.zeros((3, 2), "uint8"))
    data = SegmentationData([pair], ["a"])
    message = f"{pair.mask} is 2 x 3 pixels but {pair.image} is 3 x 2. "
    with pytest.raises(ValueError, match=message):
        data.read(0)


def test_label_outside_the_classes_is_refused_naming_the_file(pair: SamplePair) -> None:
    data = SegmentationData([pair], ["a", "b"])
    with pytest.raises(ValueError, match=rf"^{pair.mask} holds 9, but labels go from"):
        data.read(0)


def test_data_without_pairs_or_classes_is_refused(pair: SamplePair) -> None:
    with pytest.raises(ValueError, match="`pairs` must not be empty"):
        SegmentationData([], ["a"])
    with pytest.raises(ValueError, match="`classes`"):
        SegmentationData([pair], [])


def test_data_sent_to_another_process_reads_the_same(pair: SamplePair) -> None:
    label_map = MappingProxyType({0: 1, 1: 0, 9: 255})
    data = SegmentationData([pair], ["a", "b"], label_map=label_map)
    content = pickle.dumps(data)
    assert len(content) < 2000
    sent = pickle.loads(content)
    assert sent == data
    np.testing.assert_array_equal(sent.read(0).labels, data.read(0).labels)
