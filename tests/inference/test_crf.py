"""The CRF behind a model: on photos, in scores, from files."""

import json
import pathlib

import keras
import numpy as np
import pytest
from PIL import Image

from keras_deeplab.inference import (
    evaluate,
    load_crf,
    plan_jobs,
    predict_logits,
    read_labels,
    run_jobs,
    segment,
    write_crf,
    write_labels,
)
from keras_deeplab.layers import DenseCRF
from keras_deeplab.layers.crf_presets import CRF_PRESETS
from tests.inference.color_model import ColorModel


def noisy_photo(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """Red at the left, dark at the right, with noise that reaches the other side."""
    noise = np.random.default_rng(seed).normal(0, 45, (rows, columns, 1))
    photo = np.full((rows, columns, 3), (70, 20, 20)) + noise
    photo[:, : columns // 2, 0] += 110
    return np.clip(photo, 0, 255).astype("uint8")


def by_hand(photo: np.ndarray, layer: DenseCRF) -> np.ndarray:
    logits = predict_logits(ColorModel(), photo)
    answer = keras.ops.convert_to_numpy(layer(logits[None], photo[None]))
    return answer[0].argmax(-1)


@pytest.mark.parametrize("size", [(33, 33), (20, 31), (64, 50)])
@pytest.mark.parametrize("preset", ["v1", "pydensecrf"])
def test_labels_with_a_crf_are_those_of_the_layer_on_the_logits_of_the_photo(
    preset: str, size: tuple[int, int]
) -> None:
    photo = noisy_photo(*size)
    expected = by_hand(photo, DenseCRF(preset))
    labels = segment(ColorModel(), photo, crf=preset)
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, expected)
    assert (labels != segment(ColorModel(), photo)).mean() > 0.02
    mobile = DenseCRF(preset, accuracy="mobile")
    np.testing.assert_array_equal(
        segment(ColorModel(), photo, crf=mobile), by_hand(photo, mobile)
    )


def test_padding_has_no_part_in_the_crf() -> None:
    photo = noisy_photo(20, 30)
    tight, wide = ColorModel(crop_size=(20, 30)), ColorModel(crop_size=(97, 97))
    np.testing.assert_array_equal(
        segment(tight, photo, crf="v1"), segment(wide, photo, crf="v1")
    )


def test_layer_that_takes_probabilities_and_model_that_gives_them() -> None:
    photo = noisy_photo(33, 33)
    expected = segment(ColorModel(), photo, crf="v1")

    class SoftmaxModel(ColorModel):
        def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
            return np.asarray(keras.ops.softmax(super().predict_on_batch(x)))

    model = SoftmaxModel(output_kind="probabilities")
    for layer in (DenseCRF("v1"), DenseCRF("v1", from_logits=False)):
        for each in (model, ColorModel()):
            labels = segment(each, photo, crf=layer)
            assert (labels == expected).mean() > 0.998


def test_photos_of_many_sizes_share_one_layer_and_trace_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        def traced(*args: object, **kwargs: object) -> None:
            raise AssertionError("Nothing is to be traced.")

        monkeypatch.setattr(tf, "function", traced)
    layer = DenseCRF("v1", accuracy="mobile", iterations=2)
    for side in range(17, 22):
        assert segment(ColorModel(), noisy_photo(side, 19), crf=layer).shape[0] == side


@pytest.fixture
def folders(tmp_path: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    for index, size in enumerate([(33, 33), (24, 40)]):
        Image.fromarray(noisy_photo(*size, index)).save(images / f"{index}.png")
        truth = np.zeros(size, "uint8")
        truth[:, : size[1] // 2] = 1
        write_labels(masks / f"{index}.png", truth)
    return images, masks


def test_scores_with_a_crf_equal_a_count_of_its_labels_and_are_better(
    folders: tuple[pathlib.Path, pathlib.Path],
) -> None:
    scores = evaluate(ColorModel(), *folders, crf="v1")
    right = total = 0
    for photo in sorted(folders[0].iterdir()):
        pixels = np.array(Image.open(photo))
        truth = read_labels(folders[1] / photo.name)
        right += int((by_hand(pixels, DenseCRF("v1")) == truth).sum())
        total += truth.size
    assert scores.pixel_accuracy == pytest.approx(right / total)
    assert scores.mean_iou > evaluate(ColorModel(), *folders).mean_iou + 0.05


def test_jobs_write_the_labels_of_the_crf(
    folders: tuple[pathlib.Path, pathlib.Path], tmp_path: pathlib.Path
) -> None:
    photos = sorted(folders[0].iterdir())
    jobs = plan_jobs(photos, tmp_path)
    for job, result in run_jobs(ColorModel(), jobs, crf=load_crf("v1", "mobile")):
        assert not isinstance(result, Exception)
        expected = by_hand(
            np.array(Image.open(job.photo)), DenseCRF("v1", accuracy="mobile")
        )
        np.testing.assert_array_equal(read_labels(job.labels), expected)


def test_parameters_come_back_from_a_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "own.json"
    write_crf(path, CRF_PRESETS["v2"], mean_iou=0.5)
    assert json.loads(path.read_text())["mean_iou"] == 0.5
    layer = load_crf(path, "mobile")
    assert layer.crf_parameters == CRF_PRESETS["v2"]
    assert layer.accuracy == "mobile"
    assert load_crf(layer) is layer
    photo = noisy_photo(33, 33)
    np.testing.assert_array_equal(
        segment(ColorModel(), photo, crf=path), segment(ColorModel(), photo, crf="v2")
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "must be a JSON object whose 'parameters'"),
        ("[]", "must be a JSON object whose 'parameters'"),
        ('{"parameters": {}}', "it names nothing"),
        ('{"parameters": {"theta": 1}}', "it names theta"),
        (
            '{"parameters": {"w_bilateral": 4, "theta_alpha": 0, "theta_beta": 5, '
            '"w_gaussian": 3, "theta_gamma": 3, "iterations": 10}}',
            "`theta_alpha` must be above 0",
        ),
    ],
)
def test_file_that_holds_no_parameters_is_refused(
    content: str, message: str, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "own.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        load_crf(path)


def test_source_that_is_no_crf_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`crf` must be one of 'v1', .*crf='v3'"):
        segment(ColorModel(), noisy_photo(9, 9), crf="v3")
    with pytest.raises(FileNotFoundError):
        load_crf("nowhere.json")


def test_model_that_answers_with_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="`crf` needs logits or probabilities, and"):
        segment(ColorModel(output_kind="labels"), noisy_photo(9, 9), crf="v1")
