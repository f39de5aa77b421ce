import math

import numpy as np
import pytest

from keras_deeplab.metrics import SegmentationScores


def test_scores_of_a_hand_made_matrix_follow_the_voc_protocol() -> None:
    # Class 1 is predicted but never true, class 3 occurs nowhere.
    matrix = np.array([[6, 1, 1, 0], [0, 0, 0, 0], [0, 1, 3, 0], [0, 0, 0, 0]])
    scores = SegmentationScores.from_confusion(matrix)
    assert scores.class_iou[:3] == (6 / 8, 0.0, 3 / 5)
    assert math.isnan(scores.class_iou[3])
    assert scores.mean_iou == pytest.approx((6 / 8 + 3 / 5) / 2)
    assert scores.pixel_accuracy == 9 / 12
    assert scores.truth_pixels == (8, 0, 4, 0)
    assert scores.confusion[0] == (6, 1, 1, 0)


def test_scores_of_no_pixels_are_nan() -> None:
    scores = SegmentationScores.from_confusion(np.zeros((2, 2)))
    assert math.isnan(scores.mean_iou)
    assert math.isnan(scores.pixel_accuracy)


def test_scores_beyond_32_bits_do_not_wrap() -> None:
    scores = SegmentationScores.from_confusion(np.diag([3_000_000_000, 1]))
    assert scores.truth_pixels == (3_000_000_000, 1)
    assert scores.pixel_accuracy == 1.0


def test_scores_of_a_matrix_that_is_not_square_are_refused() -> None:
    with pytest.raises(ValueError, match=r"square.*\(2, 3\)"):
        SegmentationScores.from_confusion(np.zeros((2, 3)))
