import keras
import numpy as np
import pytest

from keras_deeplab.metrics import confusion_matrix

TRUTH = np.array([[0, 0, 1], [2, 255, 1]], "uint8")
GUESS = np.array([[0, 2, 1], [2, 1, 0]], "uint8")


def count(*args, **kwargs) -> list[list[int]]:
    return keras.ops.convert_to_numpy(confusion_matrix(*args, **kwargs)).tolist()


def test_confusion_of_six_pixels_equals_a_hand_count() -> None:
    assert count(TRUTH, GUESS, 3) == [[1, 0, 1], [1, 1, 0], [0, 0, 1]]


def test_confusion_of_tensors_in_a_compiled_step_equals_that_of_arrays() -> None:
    import tensorflow as tf

    compiled = tf.function(lambda a, b: confusion_matrix(a, b, 3), jit_compile=True)
    inside = compiled(tf.constant(TRUTH, "int32"), tf.constant(GUESS, "int64"))
    assert inside.numpy().tolist() == count(TRUTH, GUESS, 3)


def test_confusion_of_tensors_of_unknown_shape_is_counted() -> None:
    import tensorflow as tf

    signature = [tf.TensorSpec((None, None), "int32")] * 2
    compiled = tf.function(lambda a, b: confusion_matrix(a, b, 3), signature)
    assert compiled(TRUTH, GUESS).numpy().tolist() == count(TRUTH, GUESS, 3)


def test_confusion_of_tensors_out_of_range_leaves_them_out() -> None:
    truth = keras.ops.convert_to_tensor([0, 7, -1, 1])
    guess = keras.ops.convert_to_tensor([0, 1, 1, 9])
    assert count(truth, guess, 2) == [[1, 0], [0, 0]]


def test_confusion_with_an_ignored_class_leaves_its_row_empty() -> None:
    assert count(TRUTH[:1], GUESS[:1], 3, ignore_label=0) == [
        [0, 0, 0],
        [0, 1, 0],
        [0, 0, 0],
    ]


def test_confusion_with_many_classes_counts_every_pixel() -> None:
    rng = np.random.default_rng(0)
    truth, guess = rng.integers(0, 150, (2, 50_000))
    matrix = np.array(count(truth, guess, 150, ignore_label=None))
    expected = np.zeros((150, 150), int)
    np.add.at(expected, (truth, guess), 1)
    np.testing.assert_array_equal(matrix, expected)


def test_confusion_of_different_shapes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"labels of shape \(2, 3\), predictions"):
        confusion_matrix(TRUTH, GUESS[:1], 3)


def test_confusion_of_a_label_out_of_range_names_it() -> None:
    with pytest.raises(ValueError, match=r"`labels` .* 0..1 or be 255.* \[2\]"):
        confusion_matrix(TRUTH, GUESS, 2)


def test_confusion_of_a_prediction_out_of_range_names_it() -> None:
    with pytest.raises(ValueError, match=r"`predictions` must lie in 0..2.*\[255\]"):
        confusion_matrix(GUESS, TRUTH, 3)
