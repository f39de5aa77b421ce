import math
import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import SamplePair, SegmentationData
from keras_deeplab.inference import (
    InferencePlan,
    Measures,
    check_pairs,
    evaluate_data,
    predict_probabilities,
    score_data,
    segment,
    write_labels,
)
from keras_deeplab.inference.worst_photos import WorstPhotos
from keras_deeplab.layers import DenseCRF
from keras_deeplab.metrics import Calibration, SegmentationScores, Trimap
from tests.inference.label_model import LabelModel, photo_of

CLASSES = 5
ALL = Measures(trimap=(1, 3), calibration=True, worst=2)


def data_of(
    folder: pathlib.Path,
    photos: list[tuple[np.ndarray, np.ndarray]],
    classes: int = CLASSES,
) -> SegmentationData:
    """Photos of which a `LabelModel` says the first; the second is the truth."""
    pairs = []
    rng = np.random.default_rng(0)
    for index, (said, truth) in enumerate(photos):
        files = folder / f"{index} photo.png", folder / f"{index} mask.png"
        sureness = rng.integers(20, 256, said.shape)
        Image.fromarray(photo_of(said, sureness)).save(files[0])
        write_labels(files[1], truth.astype("uint8"))
        pairs.append(SamplePair(*files))
    return SegmentationData(tuple(pairs), tuple(f"class {c}" for c in range(classes)))


@pytest.fixture
def data(tmp_path: pathlib.Path) -> SegmentationData:
    """Four photos, each with more mistakes than the one before; the last is void."""
    rng = np.random.default_rng(1)
    photos = []
    for index in range(4):
        truth = rng.integers(0, CLASSES, (4, 5)).repeat(6, 0).repeat(6, 1)
        wrong = rng.random(truth.shape) < 0.2 * index
        said = np.where(wrong, (truth + 1) % CLASSES, truth)
        truth[rng.random(truth.shape) < 0.1] = 255
        photos.append((said, truth))
    photos[3][1][:] = 255
    return data_of(tmp_path, photos)


def test_one_pass_measures_what_each_measure_does_alone(data: SegmentationData) -> None:
    model = LabelModel(CLASSES)
    found = evaluate_data(model, data, measures=ALL)
    assert len(model.seen) == len(data)
    assert found.plain is None
    assert found.scores == score_data(model, data)
    trimap, calibration = Trimap(CLASSES, (1, 3)), Calibration()
    for index in range(len(data)):
        sample = data.read(index)
        trimap.update(sample.labels, segment(model, sample.image))
        calibration.update(sample.labels, predict_probabilities(model, sample.image))
    assert tuple(found.trimap) == (1, 3)
    assert tuple(found.trimap.values()) == trimap.scores()
    assert found.calibration is not None
    assert found.calibration.pixels == calibration.pixels
    assert found.calibration.log_loss == pytest.approx(calibration.log_loss)
    assert 0.01 < found.calibration.expected_error < 0.9


def test_worst_photos_are_those_of_the_lowest_mean_iou(data: SegmentationData) -> None:
    model = LabelModel(CLASSES)
    worst = evaluate_data(model, data, measures=ALL).worst
    # The last has no pixel that counts.
    assert [photo.index for photo in worst] == [2, 1]
    for photo in worst:
        sample = data.read(photo.index)
        assert np.array_equal(photo.labels, segment(model, sample.image))
        values = [
            np.sum((sample.labels == label) & (photo.labels == label))
            / np.sum((sample.labels == label) | (photo.labels == label) & counted)
            for label in range(CLASSES)
            for counted in [sample.labels != 255]
            if (sample.labels == label).any()
        ]
        assert photo.mean_iou == pytest.approx(np.mean(values))


def test_worst_photos_that_are_alike_come_in_order_and_without_those_of_nothing() -> (
    None
):
    worst = WorstPhotos(2)
    for index, mean_iou in enumerate([0.5, math.nan, 0.2, 0.5]):
        worst.update(mean_iou, index, np.zeros((1, 1), "uint8"))
    assert [(p.index, p.mean_iou) for p in worst.photos] == [(2, 0.2), (0, 0.5)]


def test_crf_is_measured_beside_the_model_from_one_run(data: SegmentationData) -> None:
    crf = DenseCRF("v1", accuracy="mobile")
    model = LabelModel(CLASSES)
    found = evaluate_data(model, data, measures=ALL, crf=crf)
    assert len(model.seen) == len(data)
    without = evaluate_data(model, data, measures=ALL)
    assert found.plain is not None
    assert found.plain.scores == without.scores
    assert found.plain.trimap == without.trimap
    assert found.scores == score_data(model, data, crf=crf)
    assert found.scores != without.scores
    calibration = Calibration()
    for index in range(len(data)):
        sample = data.read(index)
        refined = predict_probabilities(model, sample.image, crf=crf)
        calibration.update(sample.labels, refined)
    assert found.calibration is not None
    assert found.calibration.log_loss == pytest.approx(calibration.log_loss)


def test_calibration_of_a_model_that_ends_in_a_softmax_is_the_same(
    data: SegmentationData,
) -> None:
    measures = Measures(calibration=True)
    found = [
        evaluate_data(model, data, measures=measures).calibration
        for model in (
            LabelModel(CLASSES),
            LabelModel(CLASSES, output_kind="probabilities"),
        )
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].log_loss == pytest.approx(found[1].log_loss, rel=1e-5)


def test_measures_take_a_plan(data: SegmentationData) -> None:
    model = LabelModel(CLASSES)
    found = evaluate_data(model, data, measures=ALL, plan=InferencePlan(flip=True))
    assert len(model.seen) == 2 * len(data)
    # It says of each pixel what it says, mirrored or not.
    assert found.scores == score_data(model, data)


@pytest.mark.parametrize("mean_over", ["truth", "union", "all"])
def test_mean_is_over_the_classes_that_were_asked_for(
    mean_over: str, tmp_path: pathlib.Path
) -> None:
    # Class 1 is said alone, 3 is nowhere.
    said, truth = np.array([[0, 1, 2, 2]]), np.array([[0, 0, 2, 2]])
    data = data_of(tmp_path, [(said, truth)], 4)
    measures = Measures(mean_over=mean_over, trimap=(9,), worst=1)
    found = evaluate_data(LabelModel(4), data, measures=measures)
    expected = SegmentationScores.from_confusion(
        np.array([[1, 1, 0, 0], [0] * 4, [0, 0, 2, 0], [0] * 4]), mean_over=mean_over
    )
    assert found.scores.confusion == found.trimap[9].confusion == expected.confusion
    assert found.scores.mean_iou == found.trimap[9].mean_iou == expected.mean_iou
    assert found.mean_over == mean_over
    # A photo alone never holds all classes.
    assert found.worst[0].mean_iou == 0.75


@pytest.mark.parametrize(
    ("model", "measures", "message"),
    [
        (LabelModel(4), Measures(), "data.classes=5, model.classes=4"),
        (
            LabelModel(CLASSES, output_kind="labels"),
            Measures(calibration=True),
            "`calibration` needs logits or probabilities",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_before_the_model_runs(
    model: LabelModel, measures: Measures, message: str, data: SegmentationData
) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate_data(model, data, measures=measures)
    assert model.seen == []


@pytest.mark.parametrize(
    "wrong", [{"mean_over": "voc"}, {"trimap": (2, 1)}, {"trimap": (0,)}]
)
def test_measures_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="Received: "):
        Measures(**wrong)


def test_masks_of_which_no_pixel_counts_are_found_while_checking(
    tmp_path: pathlib.Path,
) -> None:
    void = np.full((3, 3), 255)
    data = data_of(tmp_path, [(np.zeros((3, 3), int), void)])
    with pytest.raises(ValueError, match=r"nothing to score.*1 masks, the first"):
        check_pairs(data)
