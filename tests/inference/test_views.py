import logging
import pathlib

import numpy as np
import pytest
from PIL import Image

import keras_deeplab
from keras_deeplab.inference import (
    InferencePlan,
    evaluate,
    predict_logits,
    predict_probabilities,
    segment,
)
from keras_deeplab.inference.framing import PhotoFrame, frame_for
from keras_deeplab.layers import DenseCRF, resize_bilinear
from keras_deeplab.weights import load_model
from tests.inference.color_model import ColorModel
from tests.inference.network import random_network

SCALES = (0.5, 1.0, 1.75)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), "uint8")


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits.astype("float64"))
    return powers / powers.sum(axis=-1, keepdims=True)


def seen_at(photo: np.ndarray, size: tuple[int, int], shrunk: bool) -> np.ndarray:
    """What a model that knows colours alone says of a resized photo, at the photo's."""
    kind = Image.Resampling.LANCZOS if shrunk else Image.Resampling.BILINEAR
    picture = np.asarray(Image.fromarray(photo).resize(size[::-1], kind))
    colors = picture.astype("float32") / 127.5 - 1
    scores = np.concatenate([np.full((*size, 1), 0.25, "float32"), colors], axis=-1)
    return np.asarray(resize_bilinear(scores[None], photo.shape[:2]))[0]


def test_probabilities_of_one_view_are_the_softmax_of_the_logits() -> None:
    photo = noise(20, 30)
    found = predict_probabilities(ColorModel(), photo)
    assert found.dtype == np.float32
    np.testing.assert_allclose(
        found, softmax(predict_logits(ColorModel(), photo)), atol=1e-6
    )


def test_probabilities_of_several_scales_are_their_average() -> None:
    photo = noise(24, 32)
    plan = InferencePlan(scales=SCALES)
    found = predict_probabilities(ColorModel(), photo, plan=plan)
    sizes = [(12, 16), (24, 32), (42, 56)]
    each = [softmax(seen_at(photo, size, size < (24, 32))) for size in sizes]
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-6)
    np.testing.assert_array_equal(
        segment(ColorModel(), photo, plan=plan), np.mean(each, axis=0).argmax(-1)
    )


def test_logits_of_several_views_have_the_averaged_probabilities() -> None:
    photo, plan = noise(24, 32), InferencePlan(scales=SCALES, flip=True)
    np.testing.assert_allclose(
        softmax(predict_logits(ColorModel(), photo, plan=plan)),
        predict_probabilities(ColorModel(), photo, plan=plan),
        atol=1e-6,
    )


def test_views_with_a_crf_are_refined_from_their_average() -> None:
    photo, plan = noise(12, 16), InferencePlan(scales=(0.5, 1.0))
    average = predict_probabilities(ColorModel(), photo, plan=plan)
    refined = DenseCRF("v1")(np.log(average)[None], photo[None])
    found = predict_probabilities(ColorModel(), photo, plan=plan, crf="v1")
    np.testing.assert_allclose(found, np.asarray(refined)[0], atol=1e-5)


@pytest.mark.parametrize("scale", SCALES)
def test_frame_at_a_scale_scales_the_photo_and_the_crop(scale: float) -> None:
    model = ColorModel(crop_size=(65, 65))
    frame = frame_for(model, (130, 40), None, scale)
    # At 1 the photo is brought to the crop; at 1.75 the crop of 113 is 8 k + 1 itself.
    side = {0.5: 33, 1.0: 65, 1.75: 113}[scale]
    width = {0.5: 10, 1.0: 20, 1.75: 35}[scale]
    content = {0.5: 32, 1.0: 65, 1.75: 114}[scale]
    canvas = -(-(max(content, side) - 1) // 8) * 8 + 1
    assert frame == PhotoFrame((content, width), (canvas, side))


@pytest.fixture(scope="module")
def network() -> keras_deeplab.DeepLabV3:
    return random_network(crop_size=65, output_stride=16)


def test_flip_is_the_average_of_two_calls(network: keras_deeplab.DeepLabV3) -> None:
    photo = noise(65, 50)
    found = predict_probabilities(network, photo, plan=InferencePlan(flip=True))
    straight = predict_probabilities(network, photo)
    mirrored = predict_probabilities(network, np.ascontiguousarray(photo[:, ::-1]))
    np.testing.assert_array_equal(found, (straight + mirrored[:, ::-1]) / 2)
    assert np.abs(straight - mirrored[:, ::-1]).max() > 1e-3


def test_flip_of_a_symmetric_photo_gives_a_symmetric_answer(
    network: keras_deeplab.DeepLabV3,
) -> None:
    half = noise(65, 30)
    photo = np.concatenate([half, half[:, ::-1]], axis=1)
    found = predict_probabilities(network, photo, plan=InferencePlan(flip=True))
    np.testing.assert_array_equal(found, found[:, ::-1])


@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_image_pooling_at_a_scale_covers_the_scaled_crop_as_officially(
    scale: float, network: keras_deeplab.DeepLabV3
) -> None:
    photo = noise(130, 97)
    plan = InferencePlan(scales=(scale,))
    found = predict_logits(network, photo, size=130, plan=plan)
    crop = int(64 * scale) + 1
    other = network.with_arguments(crop_size=crop)
    size = round(130 * scale)
    resample = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BILINEAR
    picture = Image.fromarray(photo).resize((round(97 * scale), size), resample)
    there = predict_logits(other, picture, size=size)
    expected = np.asarray(resize_bilinear(there[None], (130, 97)))[0]
    np.testing.assert_allclose(found, expected, atol=1e-3)
    unscaled = predict_logits(network, picture, size=size)
    assert np.abs(there - unscaled).max() > 1e-2


def test_output_stride_of_a_plan_is_that_of_a_model_made_for_it(
    network: keras_deeplab.DeepLabV3,
) -> None:
    photo, plan = noise(65, 65), InferencePlan(output_stride=8)
    expected = predict_logits(network.with_output_stride(8), photo)
    np.testing.assert_array_equal(predict_logits(network, photo, plan=plan), expected)


@pytest.mark.slow
def test_scores_of_an_official_model_gain_by_scales_and_mirror_images(
    data_dir: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
        for path in sorted((data_dir / "voc_sample" / kind).iterdir())[:3]:
            (tmp_path / kind / path.name).symlink_to(path)
    file = "models/deeplab/deeplabv3_mnv2_pascal_trainval_folded.npz"
    model = load_model(data_dir / file)
    found = [
        evaluate(model, tmp_path / "images", tmp_path / "masks", plan=plan)
        for plan in (
            InferencePlan(output_stride=16),
            InferencePlan(scales=(1.0, 1.25), flip=True, output_stride=16),
        )
    ]
    measured = [100 * scores.mean_iou for scores in found]
    assert measured == pytest.approx([82.94, 85.56], abs=0.05)


def test_networks_of_many_scales_are_no_reason_for_tensorflow_to_warn(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("tensorflow")

    class Chatting(ColorModel):
        def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
            logger.warning("5 out of the last 5 calls triggered tf.function retracing.")
            logger.warning("Something else.")
            return super().predict_on_batch(x)

    logger.addHandler(caplog.handler)
    try:
        segment(Chatting(), np.zeros((9, 9, 3), "uint8"))
        logger.warning("Training triggered tf.function retracing.")
    finally:
        logger.removeHandler(caplog.handler)
    told = {record.message for record in caplog.records}
    assert told == {"Something else.", "Training triggered tf.function retracing."}
