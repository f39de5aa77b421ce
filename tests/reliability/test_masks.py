"""Label maps there and back, their scores, and the audit of broken ones."""

import pathlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from keras_deeplab.data import audit, read_labels, survey_folder, write_labels
from keras_deeplab.metrics import SegmentationScores, confusion_matrix
from tests.reliability.clearly import outcome
from tests.reliability.test_photos import changed
from tests.reliability.trees import write_pairs

MAPS = arrays.arrays("uint8", arrays.array_shapes(min_dims=2, max_dims=2, max_side=40))


@given(MAPS)
def test_any_label_map_comes_back_from_its_file(
    tmp_path_factory: pytest.TempPathFactory, labels: np.ndarray
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.labels.png"
    write_labels(path, labels)
    np.testing.assert_array_equal(read_labels(path), labels)


@given(
    st.integers(1, 256),
    st.sampled_from([None, 0, 255]),
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
)
def test_scores_of_any_labels_are_those_counted_pixel_by_pixel(
    classes: int, ignore_label: int | None, seed: int, size: tuple[int, int]
) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, size).astype("int32")
    if ignore_label is not None:
        truth[random.random(size) < 0.3] = ignore_label
    found = random.integers(0, classes, size).astype("int32")
    counts = [[0] * classes for _ in range(classes)]
    for row, column in np.ndindex(*size):
        if truth[row, column] != ignore_label:
            counts[truth[row, column]][found[row, column]] += 1
    matrix = np.asarray(confusion_matrix(truth, found, classes, ignore_label))
    assert matrix.tolist() == counts
    check_scores(SegmentationScores.from_confusion(matrix), counts)


def check_scores(scores: SegmentationScores, counts: list[list[int]]) -> None:
    """By the definitions, with sets of pixels for words."""
    shares = []
    for label, row in enumerate(counts):
        true, claimed = sum(row), sum(each[label] for each in counts)
        union = true + claimed - row[label]
        iou = row[label] / union if union else float("nan")
        assert scores.class_iou[label] == pytest.approx(iou, nan_ok=True)
        if true:
            shares.append(iou)
    mean = sum(shares) / len(shares) if shares else float("nan")
    assert scores.mean_iou == pytest.approx(mean, nan_ok=True)


@settings(max_examples=25)
@given(st.data())
def test_audit_of_masks_with_any_bytes_changed_names_those_that_training_refuses(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("audit")
    write_pairs(root, count=2)
    spoil(root / "masks" / "0.png", data)
    survey = survey_folder(root)
    result = audit(survey)
    sample, refusal = outcome(lambda: survey.data.read(0))
    assert sample is not None or "0.png" in refusal
    told = [file for finding in result.broken for file in finding.files]
    broken = [] if sample is not None else [str(root / "masks" / "0.png")]
    assert told == broken


def spoil(path: pathlib.Path, data: st.DataObject) -> None:
    path.write_bytes(changed(path.read_bytes(), data))
