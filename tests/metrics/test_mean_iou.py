import json
import math

import keras
import numpy as np
import pytest

from keras_deeplab.metrics import MeanIoU, SegmentationScores

# Rows of truth, columns of guesses; class 2 is guessed and never true, 3 is neither.
TRUTH = np.array([[[0, 0, 0, 0], [1, 1, 255, 255]]])
GUESS = np.array([[[0, 0, 0, 1], [1, 2, 0, 1]]])
HAND = (3 / 4 + 1 / 3) / 2


def logits(guess: np.ndarray, classes: int = 4) -> np.ndarray:
    return np.eye(classes, dtype="float32")[guess]


def test_mean_iou_equals_a_hand_count_without_ignored_and_absent() -> None:
    metric = MeanIoU(4)
    metric.update_state(TRUTH, logits(GUESS))
    assert float(metric.result()) == pytest.approx(HAND)
    assert metric.scores().confusion[1] == (0, 1, 1, 0)
    assert metric.scores().mean_iou == pytest.approx(HAND)


def test_mean_iou_of_many_batches_is_that_of_all_pixels_together() -> None:
    rng = np.random.default_rng(0)
    truth, guess = rng.integers(0, 5, (2, 6, 9, 7))
    truth[rng.random(truth.shape) < 0.2] = 255
    metric = MeanIoU(5)
    metric.update_state(truth[:2], logits(guess[:2], 5))
    metric.update_state(truth[2:, ..., None].astype("uint8"), logits(guess[2:], 5))
    inter = [((truth == c) & (guess == c)).sum() for c in range(5)]
    seen = truth != 255
    union = [((truth == c) | (guess == c))[seen].sum() for c in range(5)]
    expected = np.mean(np.array(inter) / np.array(union))
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)


def test_mean_iou_of_no_pixel_is_nan_and_again_after_a_reset() -> None:
    metric = MeanIoU(4)
    assert math.isnan(float(metric.result()))
    metric.update_state(TRUTH, logits(GUESS))
    metric.reset_state()
    assert math.isnan(float(metric.result()))


def test_mean_iou_of_more_pixels_than_32_bits_hold_is_exact() -> None:
    metric = MeanIoU(2)
    metric.update_state(np.array([[[0, 1]]]), logits(np.array([[[0, 1]]]), 2))
    # As after 2^36 more pixels of class 0, of which a quarter was guessed wrong.
    metric._high.assign(np.array([[3 * 2**10, 2**10], [0, 0]]))
    found = metric.scores()
    assert found.confusion == ((3 * 2**34 + 1, 2**34), (0, 1))
    expected = SegmentationScores.from_confusion(np.array(found.confusion)).mean_iou
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)


def test_mean_iou_of_a_full_lower_half_carries() -> None:
    metric = MeanIoU(2)
    metric._low.assign(np.array([[2**24 - 1, 0], [0, 5]]))
    metric.update_state(np.zeros((1, 1, 3), int), logits(np.zeros((1, 1, 3), int), 2))
    assert metric.scores().confusion == ((2**24 + 2, 0), (0, 5))
    assert keras.ops.convert_to_numpy(metric._low).tolist() == [[2, 0], [0, 5]]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_mean_iou_in_evaluate_equals_the_hand_count(jit_compile: bool) -> None:
    model = keras.Sequential([keras.Input((None, None, 4)), keras.layers.ReLU()])
    metric = MeanIoU(4)
    model.compile(
        "sgd", keras.losses.SparseCategoricalCrossentropy(ignore_class=255),
        metrics=[metric], jit_compile=jit_compile,
    )  # fmt: skip
    labels = TRUTH.astype("uint8")
    answers = model.evaluate(logits(GUESS), labels, verbose=0, return_dict=True)
    assert answers["mean_iou"] == pytest.approx(HAND)


def test_metric_made_again_from_its_configuration_counts_alike() -> None:
    metric = MeanIoU(4, ignore_label=0, name="iou")
    saved = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    assert saved["registered_name"] == "keras_deeplab>MeanIoU"
    revived = keras.saving.deserialize_keras_object(saved)
    assert revived.get_config() == metric.get_config()
    truth = np.where(TRUTH == 255, 0, TRUTH)
    for each in (metric, revived):
        each.update_state(truth, logits(GUESS))
        assert float(each.result()) == pytest.approx(1 / 2)


def test_sample_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="`metrics` instead of `weighted_metrics`"):
        MeanIoU(4).update_state(TRUTH, logits(GUESS), sample_weight=np.ones(1))


def test_classes_that_are_no_number_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`classes`.*classes=0"):
        MeanIoU(0)
