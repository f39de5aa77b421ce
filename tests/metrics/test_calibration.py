import math

import numpy as np
import pytest

from keras_deeplab.metrics import Calibration, calibration


def samples(seed: int, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = 3 * rng.standard_normal((11, 13, classes))
    powers = np.exp(logits)
    labels = rng.integers(0, classes, (11, 13))
    labels[rng.random(labels.shape) < 0.2] = 255
    return labels, (powers / powers.sum(-1, keepdims=True)).astype("float32")


def pixels_of(photos: list[tuple[np.ndarray, np.ndarray]]) -> list[tuple]:
    """Label and probabilities of each pixel that counts."""
    return [
        (int(label), row.astype(float))
        for labels, found in photos
        for label, row in zip(labels.ravel(), found.reshape(-1, 4), strict=True)
        if label != 255
    ]


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_calibration_of_photos_is_that_of_their_pixels_one_by_one(bins: int) -> None:
    photos = [samples(seed) for seed in range(3)]
    found = Calibration(bins)
    for labels, probabilities in photos:
        found.update(labels, probabilities)
    pixels = pixels_of(photos)
    error = 0.0
    for index in range(bins):
        inside = [
            (row.max(), row.argmax() == label)
            for label, row in pixels
            if index / bins < row.max() <= (index + 1) / bins
        ]
        assert found.pixels[index] == len(inside)
        if not inside:
            assert math.isnan(found.accuracy[index])
            continue
        sure, right = np.mean(inside, axis=0)
        assert found.confidence[index] == pytest.approx(sure)
        assert found.accuracy[index] == pytest.approx(right)
        error += len(inside) / len(pixels) * abs(sure - right)
    assert found.expected_error == pytest.approx(error)
    loss = -np.mean([math.log(row[label]) for label, row in pixels])
    assert found.log_loss == pytest.approx(loss, rel=1e-6)


def test_large_photos_are_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parts = Calibration(), Calibration()
    whole.update(*samples(0))
    monkeypatch.setattr(calibration, "_PART_VALUES", 3 * 13 * 4)
    parts.update(*samples(0))
    assert parts.pixels == whole.pixels
    assert parts.expected_error == pytest.approx(whole.expected_error)
    assert parts.log_loss == pytest.approx(whole.log_loss)


def test_model_that_is_as_right_as_it_is_sure_has_no_error() -> None:
    found = Calibration()
    labels = np.array([[0] * 7 + [1] * 3])
    found.update(labels, np.tile([0.7, 0.3], (1, 10, 1)))
    assert found.expected_error == pytest.approx(0)
    entropy = -(0.7 * math.log(0.7) + 0.3 * math.log(0.3))
    assert found.log_loss == pytest.approx(entropy)


def test_truth_of_no_probability_at_all_costs_a_finite_loss() -> None:
    found = Calibration(ignore_label=None)
    found.update(np.array([[1]]), np.array([[[1.0, 0.0]]], "float32"))
    assert found.pixels[-1] == 1
    assert found.expected_error == 1
    assert found.log_loss == pytest.approx(87.3365, abs=1e-3)


def test_calibration_of_no_pixels_is_nan() -> None:
    found = Calibration()
    found.update(np.full((2, 2), 255), np.full((2, 2, 2), 0.5))
    assert math.isnan(found.expected_error)
    assert math.isnan(found.log_loss)


def test_bins_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="bins=0"):
        Calibration(0)
