"""Equalized networks: the same answer, of channels with like ranges."""

import keras
import numpy as np
import pytest

from keras_deeplab.export import equalize
from keras_deeplab.layers import ConvBlock
from keras_deeplab.models import DeepLabV1, DeepLabV3, Segmenter
from tests.export.conftest import make_model


@pytest.fixture(scope="module")
def before() -> DeepLabV3:
    return make_model(input_shape=(33, 33, 3))


@pytest.fixture(scope="module")
def images(before: DeepLabV3) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (3, 1, 33, 33, 3))
    return [np.asarray(before.preprocess(each)) for each in pixels]


@pytest.fixture(scope="module")
def after(before: DeepLabV3, images: list[np.ndarray]) -> Segmenter:
    return equalize.equalized(before, images)


def linear_blocks(model: Segmenter) -> list[str]:
    """Names of the blocks that end without an activation."""
    return [
        layer.name
        for layer in model.layers
        if isinstance(layer, ConvBlock) and layer.activation is keras.activations.linear
    ]


def maps(model: Segmenter, images: list[np.ndarray]) -> dict[str, np.ndarray]:
    """What each block without an activation, and each sum, answers to all images."""
    names = [*linear_blocks(model), *(each.name for each in sums(model))]
    watch = keras.Model(
        model.input, {name: model.get_layer(name).output for name in names}
    )
    found = watch(np.concatenate(images), training=False)
    return {name: np.asarray(map_) for name, map_ in found.items()}


def sums(model: Segmenter) -> list[keras.layers.Layer]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Add)]


def groups(model: Segmenter) -> list[list[str]]:
    """Blocks in the order of the network, joined by the sums they go into."""
    names, found = linear_blocks(model), []
    for layer in model.layers:
        if layer.name in names:
            found.append([layer.name])
        elif layer in sums(model):
            last = found.pop()
            found[-1] += [*last, layer.name]
    return found


def test_equalized_model_answers_the_same(
    before: DeepLabV3, after: Segmenter, images: list[np.ndarray]
) -> None:
    fresh = np.random.default_rng(2).uniform(-1, 1, images[0].shape)
    for image in (*images, fresh):
        expected = np.asarray(before(image))
        np.testing.assert_allclose(after(image), expected, rtol=1e-3, atol=1e-3)
    # The same architecture, other numbers, the model itself untouched.
    assert after.get_config() == before.get_config()
    changed = [
        not np.array_equal(one, other)
        for one, other in zip(after.weights, before.weights, strict=True)
    ]
    assert 0 < sum(changed) < len(changed)


@pytest.mark.parametrize("most", [16.0, 1.2])
def test_each_channel_fills_the_range_or_grows_as_far_as_it_may(
    most: float,
    before: DeepLabV3,
    images: list[np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(equalize, "_LARGEST_FACTOR", most)
    old, new = maps(before, images), maps(equalize.equalized(before, images), images)
    # The pyramid reads the last group, and takes no factors.
    *scaled, last = groups(before)
    assert len(scaled) > 5
    for group in scaled:
        largest = np.max([np.abs(old[name]).max(axis=(0, 1, 2)) for name in group], 0)
        factors = np.minimum(largest.max() / largest, most)
        assert factors.max() > 1.1
        for name in group:
            expected = old[name] * factors
            np.testing.assert_allclose(new[name], expected, rtol=1e-3, atol=1e-3)
    for name in last:
        np.testing.assert_allclose(new[name], old[name], rtol=1e-3, atol=1e-3)


def test_model_without_linear_blocks_is_copied() -> None:
    filters = (4, 4, 8, 8, 8)
    model = DeepLabV1("vgg16", stage_filters=filters, filters=8, classes=3)
    copy = equalize.equalized(model, [])
    assert copy is not model
    for one, other in zip(copy.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one, other)
