"""Labels at full size are those of the logits at full size."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_deeplab.export.label_edges import labels_along_edges, rows_between
from keras_deeplab.export.label_strips import labels_at, labels_by_rows
from keras_deeplab.layers import resize_bilinear
from tests.checks import pixels


def whole(logits: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.argmax(resize_bilinear(logits, size), axis=-1)


def by_litert(function: Callable[..., tf.Tensor], logits: np.ndarray) -> np.ndarray:
    spec = tf.TensorSpec(logits.shape, tf.float32)
    traced = tf.function(function, autograph=False).get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], traced)
    interpreter = Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], logits)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


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


@pytest.mark.parametrize("size", [(33, 65), (33, 50), (5, 9), (9, 3)])
def test_labels_along_edges_are_those_of_the_whole(size: tuple[int, int]) -> None:
    logits = pixels((1, 5, 9, 7))
    labels = labels_along_edges(tf.constant(logits), size)
    assert labels.dtype == tf.uint8
    np.testing.assert_array_equal(labels, whole(logits, size))


@pytest.mark.parametrize("labels", [[[3]], [[0, 6]], [[2], [5]], [[0, 1], [1, 1]]])
def test_labels_along_few_edges_or_none_are_those_of_the_whole(
    labels: list[list[int]],
) -> None:
    areas = np.kron(labels, np.ones((6 // len(labels), 6 // len(labels[0])), int))
    logits = np.eye(7, dtype="float32")[areas][None]
    found = by_litert(lambda x: labels_along_edges(x, (41, 51)), logits)
    np.testing.assert_array_equal(found, whole(logits, (41, 51)))


def test_heights_that_align_have_so_many_rows_between() -> None:
    assert rows_between(33, 257) == 8
    assert rows_between(33, 33) == 1
    assert rows_between(33, 256) is None
    assert rows_between(1, 9) is None


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
