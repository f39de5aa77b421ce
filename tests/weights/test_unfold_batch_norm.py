"""Batch norms of loaded models, made fit for training."""

import pathlib

import keras
import numpy as np
import pytest
from PIL import Image

from keras_deeplab import DeepLabV3
from keras_deeplab.weights import load_model, unfold_batch_norm
from tests.weights import tflite_files


@pytest.fixture
def model() -> DeepLabV3:
    """A small model whose batch norms only add, as in a loaded one."""
    model = DeepLabV3(
        "mobilenet_v2", alpha=0.35, output_stride=8, atrous_rates=(), dropout=0.0
    )
    random = np.random.default_rng(1)
    for norm in norms_of(model):
        norm.beta.assign(random.normal(0, 0.5, norm.beta.shape))
    return model


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(2).uniform(-1, 1, (4, 65, 65, 3)).astype("float32")


def without_dropout(model: DeepLabV3) -> DeepLabV3:
    """The same model, whose answers in training depend on its batch alone."""
    other = DeepLabV3.from_config({**model.get_config(), "dropout": 0.0})
    other.set_weights(model.get_weights())
    return other


def norms_of(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    layers = model._flatten_layers()
    return [x for x in layers if isinstance(x, keras.layers.BatchNormalization)]


def answers_in_training(model: DeepLabV3, images: np.ndarray) -> np.ndarray:
    """What the model says while it trains; its moving statistics are kept."""
    weights = model.get_weights()
    answers = np.asarray(model(images, training=True))
    model.set_weights(weights)
    return answers


def difference(one: object, other: object) -> float:
    """The largest difference of two answers, as a share of the largest answer."""
    return float(np.abs(np.subtract(one, other)).max() / np.abs(other).max())


def test_official_model_unfolded_on_photos_trains_from_its_own_answers(
    official: pathlib.Path, data_dir: pathlib.Path
) -> None:
    model = without_dropout(load_model(official / tflite_files.OFFICIAL))
    paths = sorted((data_dir / "voc_sample" / "images").glob("*.jpg"))[:4]
    photos = [Image.open(path).convert("RGB").resize((257, 257)) for path in paths]
    images = np.asarray(model.preprocess(np.stack(photos)))
    before = np.asarray(model(images))
    folded = answers_in_training(model, images)
    unfold_batch_norm(model, images)
    # Measured: 1e-6, and 1e-6 in training, where it was 0.7 before.
    assert difference(model(images), before) < 1e-5
    assert difference(folded, before) > 0.3
    assert difference(answers_in_training(model, images), before) < 1e-5


def test_statistics_after_unfolding_are_those_of_the_images(
    model: DeepLabV3, images: np.ndarray
) -> None:
    assert all(not norm.moving_mean.numpy().any() for norm in norms_of(model))
    unfold_batch_norm(model, images)
    conv, norm, *_ = model.get_layer("conv").steps
    features = np.asarray(conv(images)).reshape(-1, norm.gamma.shape[0])
    np.testing.assert_allclose(norm.moving_mean, features.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, features.var(axis=0), rtol=1e-3)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_answers_after_unfolding_in_batches_of_any_size_are_unchanged(
    batch_size: int, model: DeepLabV3, images: np.ndarray
) -> None:
    before = np.asarray(model(images))
    unfold_batch_norm(model, images, batch_size=batch_size)
    assert difference(model(images), before) < 1e-5
    assert difference(answers_in_training(model, images), before) < 1e-4


def test_statistics_after_unfolding_again_are_those_of_the_new_images(
    model: DeepLabV3, images: np.ndarray
) -> None:
    before = np.asarray(model(images))
    unfold_batch_norm(model, images[:1] / 3)
    unfold_batch_norm(model, images)
    assert difference(model(images), before) < 1e-5
    assert difference(answers_in_training(model, images), before) < 1e-4


def test_model_after_unfolding_or_failing_to_is_an_ordinary_one(
    model: DeepLabV3, images: np.ndarray, tmp_path: pathlib.Path
) -> None:
    calls = [norm.call for norm in norms_of(model)]
    with pytest.raises(ValueError, match="shape"):
        unfold_batch_norm(model, images[..., :2])
    unfold_batch_norm(model, images)
    assert calls == [norm.call for norm in norms_of(model)]
    assert all("call" not in vars(norm) for norm in norms_of(model))
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(images), model(images))


def test_no_images_or_no_batch_are_refused(
    model: DeepLabV3, images: np.ndarray
) -> None:
    with pytest.raises(ValueError, match=r"Received: images of shape \(0, 65, 65, 3\)"):
        unfold_batch_norm(model, images[:0])
    with pytest.raises(ValueError, match="batch_size=0"):
        unfold_batch_norm(model, images, batch_size=0)
