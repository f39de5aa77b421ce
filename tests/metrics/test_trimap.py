import math

import numpy as np
import pytest

from keras_deeplab.metrics import Trimap
from keras_deeplab.metrics.boundary_distance import squared_boundary_distances


def brute_force(labels: np.ndarray) -> np.ndarray:
    """Squared distance of each pixel to every other, of another label."""
    rows, columns = np.indices(labels.shape).reshape(2, -1)
    flat = labels.ravel()
    squared = (rows[:, None] - rows) ** 2 + (columns[:, None] - columns) ** 2
    far = np.where(flat[:, None] != flat, squared, 10**10)
    return far.min(axis=1).reshape(labels.shape)


def blobs(seed: int, height: int, width: int, classes: int) -> np.ndarray:
    """Regions of all shapes: blocks of noise, larger and smaller."""
    rng = np.random.default_rng(seed)
    block = int(rng.integers(1, 8))
    small = rng.integers(0, classes, (-(-height // block), -(-width // block)))
    return small.repeat(block, 0).repeat(block, 1)[:height, :width]


@pytest.mark.parametrize(
    ("height", "width", "classes"),
    [(1, 1, 2), (1, 17, 2), (19, 1, 3), (13, 21, 2), (24, 18, 5), (20, 20, 1)],
)
@pytest.mark.parametrize("limit", [1, 3, 40, 50_000])
def test_distances_to_boundaries_are_those_of_brute_force(
    height: int, width: int, classes: int, limit: int
) -> None:
    for seed in range(4):
        labels = blobs(seed, height, width, classes)
        found, true = squared_boundary_distances(labels, limit), brute_force(labels)
        near = true <= limit**2
        assert np.array_equal(found[near], true[near])
        assert (found[~near] > limit**2).all()


def mean_iou(truth: np.ndarray, guess: np.ndarray, classes: int) -> float:
    values = [
        np.sum((truth == label) & (guess == label))
        / np.sum((truth == label) | (guess == label))
        for label in range(classes)
        if (truth == label).any()
    ]
    return float(np.mean(values)) if values else math.nan


@pytest.mark.parametrize("ignore_label", [255, 3, None])
def test_scores_in_bands_are_those_of_the_pixels_of_the_bands(
    ignore_label: int | None,
) -> None:
    trimap = Trimap(3, (1, 2, 5), ignore_label=ignore_label)
    rng = np.random.default_rng(0)
    photos = []
    for seed in range(3):
        labels = blobs(seed, 18, 23, 3)
        if ignore_label is not None:
            labels[rng.random(labels.shape) < 0.1] = ignore_label
        wrong = rng.random(labels.shape) < 0.4
        said = np.where(wrong, rng.integers(0, 3, labels.shape), labels % 3)
        photos.append((labels, said))
        trimap.update(labels, said)
    for width, scores in zip(trimap.widths, trimap.scores(), strict=True):
        truth, guess = [], []
        for labels, said in photos:
            band = (brute_force(labels) <= width**2) & (labels != ignore_label)
            truth.append(labels[band])
            guess.append(said[band])
        flat = np.concatenate(truth), np.concatenate(guess)
        assert sum(scores.truth_pixels) == len(flat[0])
        assert scores.mean_iou == pytest.approx(mean_iou(*flat, 3), abs=1e-12)
        assert scores.pixel_accuracy == pytest.approx((flat[0] == flat[1]).mean())


def test_bands_where_void_separates_objects_are_those_around_void() -> None:
    # As in PASCAL VOC, of which DeepLab takes the pixels near those that are void.
    labels = np.zeros((30, 40), int)
    labels[6:20, 8:28] = 255
    labels[8:18, 10:26] = 7
    labels[12:26, 30:36] = 255
    labels[13:25, 31:35] = 4
    rows, columns = np.nonzero(labels == 255)
    y, x = np.indices(labels.shape)
    nearest = ((y[..., None] - rows) ** 2 + (x[..., None] - columns) ** 2).min(axis=-1)
    trimap = Trimap(21, (1, 2, 3, 4, 9))
    trimap.update(labels, np.zeros_like(labels))
    for width, scores in zip(trimap.widths, trimap.scores(), strict=True):
        around = (nearest <= width**2) & (labels != 255)
        assert sum(scores.truth_pixels) == around.sum()


def test_bands_of_masks_without_a_boundary_are_empty() -> None:
    trimap = Trimap(2)
    trimap.update(np.ones((9, 9), int), np.ones((9, 9), int))
    assert all(math.isnan(scores.mean_iou) for scores in trimap.scores())


@pytest.mark.parametrize("width", [100, 50_000, 10**30])
@pytest.mark.parametrize("classes", [1, 3])
def test_band_wider_than_the_mask_holds_every_pixel_that_has_a_boundary(
    width: int, classes: int
) -> None:
    labels = blobs(0, 18, 23, 3) % classes
    trimap = Trimap(3, (1, width))
    trimap.update(labels, labels)
    pixels = sum(trimap.scores()[-1].truth_pixels)
    assert pixels == (labels.size if classes > 1 else 0)


@pytest.mark.parametrize("widths", [(), (0, 1), (2, 1), (1, 1), (1.5,)])
def test_widths_that_are_not_rising_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"`widths` must be .*Received: widths="):
        Trimap(2, widths)
