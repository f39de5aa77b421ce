"""The losses against loops over pixels, in NumPy and in 64 bits."""

import json
import math
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_deeplab.training import (
    Dice,
    DistillationLoss,
    Focal,
    PixelLoss,
    SegmentationCrossEntropy,
)

CLASSES = 4
WEIGHTS = (0.5, 2.0, 1.0, 3.0)

Array = np.ndarray


def batch(seed: int = 0) -> tuple[Array, Array]:
    """Labels of which some are void, and logits."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, (2, 5, 6)).astype("uint8")
    labels[rng.random(labels.shape) < 0.3] = 255
    return labels, rng.normal(0, 3, (*labels.shape, CLASSES)).astype("float32")


def softmax(scores: Array) -> Array:
    powers = np.exp(scores.astype("float64") - scores.max())
    return powers / powers.sum()


def losses_of(
    labels: Array, logits: Array, of_pixel: Callable[[int, Array], float]
) -> list[float]:
    """The loss of every labelled pixel, from its label and its probabilities."""
    return [
        of_pixel(label, softmax(scores))
        for label, scores in zip(
            labels.ravel(), logits.reshape(-1, CLASSES), strict=True
        )
        if label != 255
    ]


def cross_entropy(label: int, p: Array) -> float:
    return -math.log(p[label])


def smoothed(label: int, p: Array) -> float:
    target = np.full(CLASSES, 0.2 / CLASSES)
    target[label] += 0.8
    return -(target * np.log(p)).sum()


def focal(label: int, p: Array) -> float:
    return -((1 - p[label]) ** 1.5) * math.log(p[label])


LOSSES = {
    "plain": (SegmentationCrossEntropy(), cross_entropy),
    "smoothed": (SegmentationCrossEntropy(label_smoothing=0.2), smoothed),
    "weighted": (
        SegmentationCrossEntropy(class_weights=WEIGHTS),
        lambda label, p: WEIGHTS[label] * cross_entropy(label, p),
    ),
    "focal": (Focal(gamma=1.5), focal),
    "focal_0": (Focal(gamma=0), cross_entropy),
    "focal_weighted": (
        Focal(gamma=1.5, class_weights=WEIGHTS),
        lambda label, p: WEIGHTS[label] * focal(label, p),
    ),
}
every_mean = pytest.mark.parametrize("name", LOSSES)

ALL = [
    SegmentationCrossEntropy(),
    SegmentationCrossEntropy(label_smoothing=0.1, hardest=0.3, class_weights=WEIGHTS),
    Focal(),
    Focal(gamma=0.5, class_weights=WEIGHTS),
    Dice(),
    Dice(class_weights=WEIGHTS),
]
every_loss = pytest.mark.parametrize("loss", ALL, ids=lambda loss: loss.name)


@every_mean
def test_loss_of_a_batch_is_the_mean_over_its_labelled_pixels(name: str) -> None:
    loss, of_pixel = LOSSES[name]
    labels, logits = batch()
    expected = np.mean(losses_of(labels, logits, of_pixel))
    assert float(loss(labels, logits)) == pytest.approx(expected, rel=1e-5)
    assert float(loss(labels[..., None], logits)) == pytest.approx(expected, rel=1e-5)


def test_hardest_pixels_are_a_fraction_of_all_and_the_worst() -> None:
    labels, logits = batch()
    losses = sorted(losses_of(labels, logits, cross_entropy))
    for hardest, kept in ((0.25, 15), (0.001, 1), (0.999, len(losses))):
        loss = SegmentationCrossEntropy(hardest=hardest)
        expected = np.mean(losses[-kept:])
        assert float(loss(labels, logits)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_hardest_pixels_of_unknown_shape_are_the_same(jit_compile: bool) -> None:
    labels, logits = batch()
    loss = SegmentationCrossEntropy(hardest=0.25)
    shapes = [
        tf.TensorSpec((None, None, None), "uint8"),
        tf.TensorSpec((None, None, None, CLASSES)),
    ]
    traced = tf.function(loss, shapes, jit_compile=jit_compile)(labels, logits)
    assert float(traced) == pytest.approx(float(loss(labels, logits)), rel=1e-6)


def test_sample_weights_multiply_the_loss_of_images_and_of_pixels() -> None:
    labels, logits = batch()
    loss, images = SegmentationCrossEntropy(), np.array([0.5, 3.0])
    sums = [
        sum(losses_of(labels[i], logits[i], cross_entropy)) for i in range(len(labels))
    ]
    expected = (sums @ images) / (labels != 255).sum()
    pixels = np.broadcast_to(images[:, None, None], labels.shape)
    for weights in (images, pixels, pixels[..., None]):
        found = float(loss(labels, logits, sample_weight=weights))
        assert found == pytest.approx(expected, rel=1e-5)


def test_dice_equals_a_count_by_class() -> None:
    labels, logits = batch()
    labels[labels == 2] = 0
    p = np.apply_along_axis(softmax, -1, logits)[labels != 255]
    truth = labels[labels != 255]
    misses = {
        c: 1 - 2 * p[truth == c, c].sum() / (p[:, c].sum() + (truth == c).sum())
        for c in (0, 1, 3)
    }
    expected = sum(misses.values()) / 3
    assert float(Dice()(labels, logits)) == pytest.approx(expected, rel=1e-5)
    weighted = sum(WEIGHTS[c] * miss for c, miss in misses.items()) / 3
    found = float(Dice(class_weights=WEIGHTS)(labels, logits))
    assert found == pytest.approx(weighted, rel=1e-5)


def test_dice_of_a_perfect_answer_is_0_and_of_a_wrong_one_1() -> None:
    labels, _ = batch()
    right = 100.0 * np.eye(CLASSES)[np.where(labels == 255, 0, labels)]
    assert float(Dice()(labels, right)) == pytest.approx(0, abs=1e-6)
    assert float(Dice()(labels, np.roll(right, 1, -1))) == pytest.approx(1, abs=1e-6)


def test_distillation_equals_the_divergence_of_softened_softmaxes() -> None:
    labels, student = batch()
    _, teacher = batch(1)
    total = 0.0
    for label, s, t in zip(
        labels.ravel(),
        student.reshape(-1, CLASSES),
        teacher.reshape(-1, CLASSES),
        strict=True,
    ):
        p, q = softmax(t / 2), softmax(s / 2)
        total += 0 if label == 255 else 4 * (p * np.log(p / q)).sum()
    expected = total / (labels != 255).sum()
    loss = DistillationLoss(temperature=2)
    assert float(loss(labels, (student, teacher))) == pytest.approx(expected, rel=1e-5)
    assert float(loss(labels, (student, student))) == pytest.approx(0, abs=1e-7)


def value_and_gradient(
    loss: PixelLoss, labels: Array, logits: Array
) -> tuple[float, Array]:
    scores = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = loss(labels, scores)
    return float(value), tape.gradient(value, scores).numpy()


@every_loss
def test_loss_of_no_labelled_pixel_is_0_and_so_is_its_gradient(loss: PixelLoss) -> None:
    labels, logits = batch()
    value, gradient = value_and_gradient(loss, np.full_like(labels, 255), logits)
    assert value == 0
    assert not gradient.any()


@every_loss
@pytest.mark.parametrize("scale", [0.0, 1e4, -1e4])
def test_loss_of_extreme_logits_is_finite_and_so_is_its_gradient(
    loss: PixelLoss, scale: float
) -> None:
    labels, _ = batch()
    logits = scale * np.eye(CLASSES, dtype="float32")[np.where(labels < 4, labels, 0)]
    value, gradient = value_and_gradient(loss, labels, logits)
    assert math.isfinite(value)
    assert np.isfinite(gradient).all()


@every_loss
def test_gradient_of_ignored_pixels_is_0_and_of_the_others_is_the_slope(
    loss: PixelLoss,
) -> None:
    labels, logits = batch()
    _, gradient = value_and_gradient(loss, labels, logits)
    assert not gradient[labels == 255].any()
    step = np.random.default_rng(1).normal(size=logits.shape).astype("float32")
    rise = float(loss(labels, logits + 0.01 * step)) - float(
        loss(labels, logits - 0.01 * step)
    )
    assert rise / 0.02 == pytest.approx((gradient * step).sum(), rel=0.02, abs=1e-4)


@every_loss
def test_loss_made_again_from_its_configuration_answers_alike(loss: PixelLoss) -> None:
    saved = json.loads(json.dumps(keras.saving.serialize_keras_object(loss)))
    assert saved["registered_name"] == f"keras_deeplab>{type(loss).__name__}"
    revived = keras.saving.deserialize_keras_object(saved)
    assert revived.get_config() == loss.get_config()
    assert float(revived(*batch())) == float(loss(*batch()))


def test_configuration_of_the_distillation_loss_makes_it_again() -> None:
    loss = DistillationLoss(temperature=3, ignore_label=0)
    revived = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(loss)
    )
    assert revived.get_config() == loss.get_config()
    assert (revived.temperature, revived.ignore_label) == (3, 0)


def test_ignore_label_of_none_counts_a_label_255() -> None:
    logits = np.zeros((1, 1, 2, 256), "float32")
    logits[..., 255] = 5
    labels = np.array([[[255, 0]]])
    found = float(SegmentationCrossEntropy(ignore_label=None)(labels, logits))
    rest = math.log(math.exp(5) + 255)
    assert found == pytest.approx(((rest - 5) + rest) / 2, rel=1e-5)


def test_ignored_class_0_is_left_out() -> None:
    labels, logits = batch()
    loss = SegmentationCrossEntropy(ignore_label=0)
    others = np.where(labels == 0, 255, labels)
    expected = np.mean(losses_of(others, logits, cross_entropy))
    assert float(loss(labels, logits)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "mention"),
    [
        (lambda: SegmentationCrossEntropy(hardest=0), "`hardest`.*hardest=0"),
        (lambda: SegmentationCrossEntropy(hardest=1.5), "`hardest`.*hardest=1.5"),
        (lambda: SegmentationCrossEntropy(label_smoothing=1), "`label_smoothing`"),
        (lambda: SegmentationCrossEntropy(class_weights=[1, -1]), "`class_weights`"),
        (lambda: Dice(class_weights=[float("nan")]), "`class_weights`.*nan"),
        (lambda: Focal(gamma=-1), "`gamma`.*gamma=-1"),
        (lambda: DistillationLoss(temperature=0), "`temperature`.*temperature=0"),
        (lambda: Dice(class_weights=[1, 2])(*batch()), "each of the 4 classes"),
    ],
)
def test_arguments_out_of_range_are_refused_by_name(
    make: Callable[[], object], mention: str
) -> None:
    with pytest.raises(ValueError, match=mention):
        make()
