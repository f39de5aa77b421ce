import pathlib

import keras
import numpy as np
import pytest

from keras_deeplab.layers import AtrousConv
from keras_deeplab.metrics import MeanIoU
from keras_deeplab.training import (
    DistillationLoss,
    Distiller,
    LayerwiseSGD,
    SegmentationCrossEntropy,
    classifier_multipliers,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 6, 5, 3)).astype("float32")
LABELS = RNG.integers(0, 3, (2, 6, 5)).astype("uint8")
LABELS[:, 0] = 255


def network(filters: int, classes: int = 3) -> keras.Model:
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(filters, 3, padding="same")(inputs)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(inputs, AtrousConv(classes, 1, name="logits")(x))


def distiller(**kwargs: float) -> Distiller:
    made = Distiller(network(4), network(8), **kwargs)
    optimizer = LayerwiseSGD(0.1, multipliers=classifier_multipliers())
    made.compile(optimizer, SegmentationCrossEntropy(), metrics=[MeanIoU(3)])
    return made


def test_loss_is_the_weighted_sum_of_both_and_the_metric_the_students() -> None:
    made = distiller(weight=0.3, temperature=2)
    student = np.array(made.student(IMAGES))
    teacher = np.array(made.teacher(IMAGES))
    divergence = DistillationLoss(temperature=2)(LABELS, (student, teacher))
    hard = SegmentationCrossEntropy()(LABELS, student)
    metric = MeanIoU(3)
    metric.update_state(LABELS, student)
    found = made.evaluate(IMAGES, LABELS, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(0.7 * float(hard) + 0.3 * float(divergence))
    assert found["mean_iou"] == pytest.approx(float(metric.result()))


def test_student_learns_what_the_teacher_says_and_the_teacher_stays() -> None:
    made = distiller(weight=1.0)
    before = made.teacher.get_weights()
    loss = DistillationLoss()

    def distance() -> float:
        answers = (made.student(IMAGES), made.teacher(IMAGES))
        return float(loss(LABELS, answers))

    first = distance()
    made.fit(IMAGES, LABELS, epochs=30, verbose=0)
    assert distance() < 0.3 * first
    for found, old in zip(made.teacher.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, old)


def test_weight_0_trains_as_the_student_alone() -> None:
    made, alone = distiller(weight=0.0), network(4)
    alone.set_weights(made.student.get_weights())
    alone.compile(
        LayerwiseSGD(0.1, multipliers=classifier_multipliers()),
        SegmentationCrossEntropy(),
    )
    for each in (made, alone):
        each.fit(IMAGES, LABELS, epochs=3, verbose=0)
    for found, expected in zip(
        made.student.get_weights(), alone.get_weights(), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_saved_distiller_holds_both_models(tmp_path: pathlib.Path) -> None:
    made = distiller(weight=0.3, temperature=2)
    made.fit(IMAGES, LABELS, verbose=0)
    made.save(tmp_path / "both.keras")
    revived = keras.saving.load_model(tmp_path / "both.keras")
    assert revived.evaluate(IMAGES, LABELS, verbose=0) == pytest.approx(
        made.evaluate(IMAGES, LABELS, verbose=0)
    )
    assert not revived.teacher.trainable_variables


def test_arguments_out_of_range_are_refused_and_the_teacher_stays() -> None:
    teacher = network(4)
    with pytest.raises(ValueError, match=r"`weight`.*weight=2"):
        Distiller(network(4), teacher, weight=2)
    with pytest.raises(ValueError, match=r"`temperature`.*temperature=-1"):
        Distiller(network(4), teacher, temperature=-1)
    with pytest.raises(ValueError, match="a student of 2, a teacher of 3"):
        Distiller(network(4, classes=2), teacher)
    assert teacher.trainable_variables
