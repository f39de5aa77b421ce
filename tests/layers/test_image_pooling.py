from typing import Any

import keras
import numpy as np
import pytest

from keras_deeplab.layers import ImagePooling
from tests.checks import check_layer, pixels, randomize
from tests.layers import litert, numpy_layers

SHAPE = (2, 9, 8, 4)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"activation": "hard_sigmoid", "batch_norm": False},
        {"window": 4, "strides": (2, 3)},
        {"window": (4, 12), "activation": None},
    ],
)
def test_image_pooling_over_any_window_keeps_the_layer_contract(
    kwargs: dict[str, Any],
) -> None:
    check_layer(ImagePooling, {"filters": 3, **kwargs}, SHAPE, (2, 9, 8, 3))


def run(inputs: np.ndarray, *, known: bool = True, **kwargs: Any) -> np.ndarray:
    """The layer's answer with a projection that changes nothing."""
    channels = inputs.shape[-1]
    layer = ImagePooling(channels, batch_norm=False, activation=None, **kwargs)
    layer.build(inputs.shape)
    layer.set_weights([np.eye(channels)[None, None], np.zeros(channels)])
    if known:
        return np.array(layer(inputs))
    unknown = keras.Input((None, None, channels))
    return np.array(keras.Model(unknown, layer(unknown))(inputs))


def pooled(
    inputs: np.ndarray, window: tuple[int, int], strides: tuple[int, int] = (1, 1)
) -> np.ndarray:
    """Means over the sliding window, resized to the map with aligned corners."""
    rows = range(0, inputs.shape[1] - window[0] + 1, strides[0])
    columns = range(0, inputs.shape[2] - window[1] + 1, strides[1])
    means = [
        [inputs[:, y : y + window[0], x : x + window[1]].mean((1, 2)) for x in columns]
        for y in rows
    ]
    return numpy_layers.resize(
        np.moveaxis(np.array(means), 2, 0).astype("float64"), inputs.shape[1:3]
    )


@pytest.mark.parametrize("known", [True, False])
def test_pooling_without_a_window_is_the_mean_everywhere(known: bool) -> None:
    inputs = pixels(SHAPE)
    expected = np.broadcast_to(np.mean(inputs, axis=(1, 2), keepdims=True), SHAPE)
    np.testing.assert_allclose(run(inputs, known=known), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("window", "strides"), [((4, 3), (1, 1)), ((5, 5), (1, 1)), ((4, 3), (3, 2))]
)
def test_pooling_over_a_smaller_window_slides_it(
    window: tuple[int, int], strides: tuple[int, int], known: bool
) -> None:
    inputs = pixels(SHAPE)
    found = run(inputs, window=window, strides=strides, known=known)
    expected = pooled(inputs, window, strides)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    # It is not the mean of the map.
    assert found.std(axis=(1, 2)).min() > 0.01


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("window", "seen"),
    [((12, 12), (9, 8)), ((12, 3), (9, 3)), ((4, 9), (4, 8)), ((9, 8), (9, 8))],
)
def test_pooling_over_a_larger_window_shrinks_it_to_the_map(
    window: tuple[int, int], seen: tuple[int, int], known: bool
) -> None:
    # Far from zero, so that a mean over padding would show.
    inputs = pixels(SHAPE) + 5
    found = run(inputs, window=window, strides=2, known=known)
    expected = pooled(inputs, seen, (2, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_pooling_over_one_unknown_side_is_the_same() -> None:
    inputs = pixels(SHAPE) + 5
    layer = ImagePooling(3, window=(12, 3))
    half_known = keras.Input((None, SHAPE[2], SHAPE[3]))
    model = keras.Model(half_known, layer(half_known))
    np.testing.assert_allclose(model(inputs), layer(inputs), rtol=1e-5)


def test_pooling_over_the_window_of_its_own_crop_is_the_global_mean() -> None:
    crop, output_stride = 513, 16
    side = (crop - 1) // output_stride + 1
    assert side == 33
    inputs = pixels((1, side, side, 2))
    found = run(inputs, window=side)
    expected = np.broadcast_to(inputs.mean((1, 2), keepdims=True), inputs.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    # On a larger photo it is not.
    larger = pixels((1, side + 8, side + 8, 2))
    assert np.ptp(run(larger, window=side), axis=(1, 2)).min() > 1e-3


def test_projection_is_batch_norm_and_activation_of_the_means() -> None:
    layer = ImagePooling(3, epsilon=0.1)
    layer.build(SHAPE)
    randomize(layer)
    inputs = pixels(SHAPE)
    kernel, *parameters = (np.array(weight) for weight in layer.weights)
    expected = inputs.mean((1, 2), keepdims=True) @ kernel[0, 0]
    expected = numpy_layers.batch_norm(expected, parameters, 0.1)
    expected = np.broadcast_to(numpy_layers.relu(expected), (2, 9, 8, 3))
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("known", [True, False])
def test_pooling_in_half_precision_does_not_overflow(known: bool) -> None:
    keras.config.set_dtype_policy("mixed_float16")
    # The sum over the window, 108 900, is above the largest half, 65 504.
    found = run(np.full((1, 33, 33, 1), 100.0, "float32"), window=33, known=known)
    np.testing.assert_array_equal(found, np.full((1, 33, 33, 1), 100.0))


@pytest.mark.parametrize("window", [None, 3, 12])
def test_pooling_of_an_unknown_size_exports_to_tflite(window: int | None) -> None:
    inputs = keras.Input((None, None, 4))
    model = keras.Model(inputs, ImagePooling(3, window=window)(inputs))
    randomize(model)
    content = litert.convert(model)
    found = litert.operations(content)
    assert found["CONV_2D"] == 1
    assert found["RESIZE_BILINEAR"] == 1
    assert found["MEAN"] + found["AVERAGE_POOL_2D"] == 1
    features = pixels((1, 9, 8, 4)) + 1
    (answer,) = litert.run(content, features)
    np.testing.assert_allclose(answer, model(features), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"filters": 0}, r"`filters` must be .* Received: filters=0"),
        (
            {"window": 0},
            r"`window` must be a positive integer, or one for the height and one for "
            r"the width\. "
            r"Received: window=0",
        ),
        ({"window": (33,)}, r"Received: window=\(33,\)"),
        ({"window": (33.0, 33.0)}, r"Received: window=\(33\.0, 33\.0\)"),
        ({"window": True}, r"Received: window=True"),
        ({"strides": (0, 1)}, r"`strides` must be .* Received: strides=\(0, 1\)"),
    ],
)
def test_argument_out_of_range_is_named_in_the_error(
    kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ImagePooling(**{"filters": 3, **kwargs})
