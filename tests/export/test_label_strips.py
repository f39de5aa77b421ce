"""Labels at full size are those of the logits at full size."""

import numpy as np
import pytest
import tensorflow as tf

from keras_deeplab.export.label_strips import labels_at, labels_by_rows
from keras_deeplab.layers import resize_bilinear
from tests.checks import pixels


def whole(logits: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.argmax(resize_bilinear(logits, size), axis=-1)


@pytest.mark.parametrize("strip_values", [1, 1000, 10**6])
@pytest.mark.parametrize("size", [(33, 65), (40, 50), (5, 9), (3, 4)])
def test_labels_in_strips_are_those_of_the_whole(
    size: tuple[int, int], strip_values: int
) -> None:
    logits = pixels((1, 5, 9, 7))
    labels = labels_at(tf.constant(logits), size, strip_values)
    assert labels.dtype == tf.uint8
    np.testing.assert_array_equal(labels, whole(logits, size))
    by_rows = labels_by_rows(tf.constant(logits[0]), tf.constant(size), strip_values)
    np.testing.assert_array_equal(by_rows, whole(logits, size)[0])


def test_labels_of_one_pixel_fill_the_map() -> None:
    logits = pixels((1, 1, 1, 3))
    labels = labels_at(tf.constant(logits), (4, 5))
    np.testing.assert_array_equal(labels, np.full((1, 4, 5), logits.argmax()))


def test_labels_of_many_classes_do_not_wrap_around() -> None:
    logits = np.zeros((1, 2, 2, 300), "float32")
    logits[..., 299] = 1
    labels = labels_at(tf.constant(logits), (3, 3))
    assert labels.dtype == tf.int32
    assert np.unique(labels).tolist() == [299]
