"""Pyramids that add their image-level branch: the same answer, where that holds."""

import pathlib
from typing import Any

import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.export import to_tflite
from keras_deeplab.export.fixed_size import fixed_size
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.photos import laid_out
from keras_deeplab.export.split_pyramid import with_split_pyramids
from keras_deeplab.layers import ASPP
from keras_deeplab.models import DeepLabV3, DeepLabV3Plus
from tests.export.conftest import make_model

SIZE = (65, 49)


def pyramids(network: keras.Model) -> list[ASPP]:
    return [layer for layer in network.layers if isinstance(layer, ASPP)]


def answer(network: keras.Model, image: np.ndarray) -> np.ndarray:
    return np.asarray(network([image], training=False))


def image_of(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (2, *size, 3)).astype("float32")


def pooled_model(**kwargs: Any) -> DeepLabV3:
    return make_model(image_pooling=True, input_shape=(*SIZE, 3), **kwargs)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"crop_size": SIZE},
        # Larger than the map, and none: the whole map both times.
        {"crop_size": 129},
        {"crop_size": None},
        {"crop_size": SIZE, "atrous_rates": ()},
        {"crop_size": SIZE, "atrous_rates": (1, 2), "separable": True},
    ],
)
def test_network_with_a_split_pyramid_answers_the_same(kwargs: dict[str, Any]) -> None:
    network = Graph(model=pooled_model(**kwargs)).coarse
    split = with_split_pyramids(network)
    assert not pyramids(split)
    expected = answer(network, image_of(SIZE))
    assert np.ptp(expected) > 1
    found = answer(split, image_of(SIZE))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    for ours, theirs in zip(split.weights, network.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(pyramids(network)) == 1


@pytest.mark.parametrize(
    "kwargs",
    [
        # The window slides over the map, and says something else at each place.
        {"crop_size": 33},
        {"crop_size": (65, 33)},
        {"image_pooling": False},
        {"dtype": "mixed_bfloat16"},
    ],
)
def test_pyramid_that_cannot_be_split_is_left(kwargs: dict[str, Any]) -> None:
    settings = {"filters": 8, "alpha": 0.35, "input_shape": (*SIZE, 3), **kwargs}
    network = Graph(model=DeepLabV3("mobilenet_v2", **settings)).coarse
    left = with_split_pyramids(network)
    assert len(pyramids(left)) == 1
    expected = answer(network, image_of(SIZE))
    np.testing.assert_array_equal(answer(left, image_of(SIZE)), expected)


def test_decoder_reads_a_split_pyramid() -> None:
    settings = {"filters": 8, "decoder_filters": 8, "alpha": 0.35}
    model = DeepLabV3Plus("mobilenet_v2", input_shape=(*SIZE, 3), **settings)
    network = Graph(model=model).coarse
    split = with_split_pyramids(network)
    assert not pyramids(split)
    expected = answer(network, image_of(SIZE))
    found = answer(split, image_of(SIZE))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("crop_size", "expected"), [(SIZE, {}), (33, {"CONCATENATION": 1})]
)
def test_file_spreads_only_what_differs_from_place_to_place(
    crop_size: Any,
    expected: dict[str, int],
    photos: pathlib.Path,
    tmp_path: pathlib.Path,
) -> None:
    model = pooled_model(crop_size=crop_size, atrous_rates=())
    report = to_tflite(model, tmp_path / "m.tflite", outputs="logits", photos=photos)
    spread = {"CONCATENATION", "RESIZE_BILINEAR"}
    found = {name: n for name, n in report.operations.items() if name in spread}
    assert found == {"RESIZE_BILINEAR": 1 + len(expected), **expected}
    assert report.parity.agreement == 1
    assert report.parity.mean_difference < 1e-3


def test_official_model_answers_the_same_on_photos(data_dir: pathlib.Path) -> None:
    path = data_dir / "models/deeplab/deeplabv3_257_mv_gpu.tflite"
    model = fixed_size(keras_deeplab.load_model(path), 257)
    network = Graph(model=model).coarse
    split = with_split_pyramids(network)
    assert not pyramids(split)
    photos = sorted((data_dir / "photos").glob("*.*g"))[:3]
    for pixels in laid_out(model, photos):
        image = np.asarray(model.preprocess(pixels))
        expected, found = answer(network, image), answer(split, image)
        np.testing.assert_allclose(found, expected, atol=1e-4)
        np.testing.assert_array_equal(found.argmax(-1), expected.argmax(-1))
