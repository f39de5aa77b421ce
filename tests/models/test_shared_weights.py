import keras
import numpy as np
import pytest

import keras_deeplab
from tests.inference.network import random_network


@pytest.fixture(scope="module")
def model() -> keras_deeplab.DeepLabV3:
    return random_network(crop_size=65, output_stride=16)


def answer(model: keras.Model) -> np.ndarray:
    image = np.random.default_rng(0).normal(size=(1, 97, 97, 3)).astype("float32")
    return np.asarray(model.predict_on_batch(image))


def test_model_of_shared_weights_answers_like_a_copy_also_after_training(
    model: keras_deeplab.DeepLabV3,
) -> None:
    kept = model.sharing_weights(output_stride=8, crop_size=97)
    assert kept.output_stride == 8
    assert kept.crop_size == (97, 97)
    for _ in range(2):
        shared = model.sharing_weights(output_stride=8, crop_size=97)
        assert shared is kept
        copy = model.with_output_stride(8).with_arguments(crop_size=97)
        np.testing.assert_array_equal(answer(shared), answer(copy))
        for weight in model.weights:
            weight.assign(weight * 1.5)


def test_model_of_shared_weights_holds_none_of_its_own(
    model: keras_deeplab.DeepLabV3,
) -> None:
    weights, layers = len(model.weights), len(model.layers)
    shared = model.sharing_weights(output_stride=32)
    for own, other in zip(model.weights, shared.weights, strict=True):
        assert own.value is other.value
    assert (len(model.weights), len(model.layers)) == (weights, layers)


def test_model_that_shares_without_a_change_is_the_model(
    model: keras_deeplab.DeepLabV3,
) -> None:
    assert model.sharing_weights() is model
    assert model.sharing_weights(output_stride=16, crop_size=(65, 65)) is model
    with pytest.raises(ValueError, match="`output_stride` must be 8, 16 or 32"):
        model.sharing_weights(output_stride=4)


def test_model_that_shares_can_still_be_saved(
    model: keras_deeplab.DeepLabV3, tmp_path: object
) -> None:
    model.sharing_weights(output_stride=8)
    model.save(f"{tmp_path}/model.keras")
    loaded = keras.saving.load_model(f"{tmp_path}/model.keras")
    np.testing.assert_array_equal(answer(loaded), answer(model))
