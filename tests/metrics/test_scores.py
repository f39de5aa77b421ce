import math
from collections.abc import Callable

import numpy as np
import pytest

from keras_deeplab.metrics import SegmentationScores, confusion_matrix


def test_scores_of_a_hand_made_matrix_are_over_the_classes_of_the_truth() -> None:
    # Class 1 is predicted but never true, class 3 occurs nowhere.
    matrix = np.array([[6, 1, 1, 0], [0, 0, 0, 0], [0, 1, 3, 0], [0, 0, 0, 0]])
    scores = SegmentationScores.from_confusion(matrix)
    assert scores.class_iou[:3] == (6 / 8, 0.0, 3 / 5)
    assert math.isnan(scores.class_iou[3])
    assert scores.mean_iou == pytest.approx((6 / 8 + 3 / 5) / 2)
    assert scores.pixel_accuracy == 9 / 12
    assert scores.truth_pixels == (8, 0, 4, 0)
    assert scores.confusion[0] == (6, 1, 1, 0)


def kit_of_voc_or_cityscapes(truth: np.ndarray, guess: np.ndarray) -> float:
    """`nanmean`: what the data lack counts where it was predicted, and only there."""
    values = []
    for label in range(5):
        either = np.sum((truth == label) | (guess == label))
        values.append(
            np.sum((truth == label) & (guess == label)) / either if either else np.nan
        )
    return float(np.nanmean(values))


def kit_of_ade20k(truth: np.ndarray, guess: np.ndarray) -> float:
    """Labels from 1 on; the union never counts as nothing."""
    values = [
        np.sum((truth == label) & (guess == label))
        / (np.sum((truth == label) | (guess == label)) + np.finfo(float).eps)
        for label in range(5)
    ]
    return float(np.mean(values))


@pytest.mark.parametrize(
    ("mean_over", "formula", "expected"),
    [
        # Of 0, 1 and 3; 2 is predicted alone, 4 nowhere.
        ("truth", None, (2 / 3 + 1 / 3 + 1) / 3),
        ("union", kit_of_voc_or_cityscapes, (2 / 3 + 1 / 3 + 1) / 4),
        ("all", kit_of_ade20k, (2 / 3 + 1 / 3 + 1) / 5),
    ],
)
def test_mean_is_over_the_classes_that_each_kit_takes(
    mean_over: str, formula: Callable[..., float] | None, expected: float
) -> None:
    truth = np.array([0, 0, 0, 1, 1, 3])
    guess = np.array([0, 0, 1, 1, 2, 3])
    matrix = confusion_matrix(truth, guess, 5)
    found = SegmentationScores.from_confusion(matrix, mean_over=mean_over).mean_iou
    if formula is not None:
        assert found == pytest.approx(formula(truth, guess), abs=1e-12)
    assert found == pytest.approx(expected)


def test_mean_over_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'truth', 'union', 'all'.*'voc'"):
        SegmentationScores.from_confusion(np.eye(2), mean_over="voc")


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
