from typing import Any

import keras
import numpy as np
import pytest

from keras_deeplab.layers import ASPP
from tests.checks import check_layer, pixels, randomize
from tests.layers import litert

SHAPE = (2, 9, 8, 4)
# Some taps at rate 3, all but one at rate 9, lie outside of the map.
RATES = (1, 3, 9)
PIXEL = (1, 6)


@pytest.mark.parametrize(
    "kwargs",
    [
        # Without dropout a step is the same each time.
        {"rates": (1, 2), "separable": True, "dropout": 0.0, "image_pooling_window": 4},
        {"rates": (2,), "image_pooling": False, "dropout": 0.0},
        {"rates": (2, 2), "merge": "sum", "hidden_filters": 5, "dropout": 0.0},
    ],
)
def test_aspp_of_any_form_keeps_the_layer_contract(kwargs: dict[str, Any]) -> None:
    check_layer(ASPP, {"filters": 3, **kwargs}, SHAPE, (2, 9, 8, 3))


def make_layer(**kwargs: Any) -> tuple[ASPP, dict[str, np.ndarray]]:
    """A layer and its weights by their path inside it."""
    layer = ASPP(3, **kwargs, name="aspp")
    layer.build(SHAPE)
    randomize(layer)
    paths = [weight.path.removeprefix("aspp/") for weight in layer.weights]
    assert len(set(paths)) == len(paths)
    return layer, {
        path: np.array(weight)
        for path, weight in zip(paths, layer.weights, strict=True)
    }


def taps(inputs: np.ndarray, rate: int) -> np.ndarray:
    """What a 3 x 3 kernel sees at the pixel: `(3, 3, batch, channels)`."""
    seen = np.zeros((3, 3, inputs.shape[0], inputs.shape[-1]))
    for row, column in np.ndindex(3, 3):
        y, x = PIXEL[0] + (row - 1) * rate, PIXEL[1] + (column - 1) * rate
        if 0 <= y < inputs.shape[1] and 0 <= x < inputs.shape[2]:
            seen[row, column] = inputs[:, y, x]
    return seen


def norm_relu(
    features: np.ndarray, weights: dict[str, np.ndarray], name: str, epsilon: float
) -> np.ndarray:
    gamma, beta, mean, variance = (
        weights[f"{name}_batch_norm/{part}"]
        for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    normal = (features - mean) / np.sqrt(variance + epsilon)
    return np.maximum(gamma * normal + beta, 0)


def branch(
    inputs: np.ndarray, weights: dict[str, np.ndarray], name: str, rate: int | None
) -> np.ndarray:
    """One branch of the pyramid at the pixel; a rate of `None` is a 1 x 1 kernel."""
    if f"{name}/depthwise/kernel" in weights:
        kernel = weights[f"{name}/depthwise/kernel"][..., 0]
        x = np.einsum("ijbc,ijc->bc", taps(inputs, rate), kernel)
        x = norm_relu(x, weights, f"{name}/depthwise", 0.1)
        x = x @ weights[f"{name}/pointwise/kernel"][0, 0]
        return norm_relu(x, weights, f"{name}/pointwise", 0.1)
    kernel = weights[f"{name}/conv/kernel"]
    if rate is None:
        x = inputs[:, *PIXEL] @ kernel[0, 0]
    else:
        x = np.einsum("ijbc,ijcf->bf", taps(inputs, rate), kernel)
    return norm_relu(x, weights, f"{name}/conv", 0.1)


@pytest.mark.parametrize(
    ("rates", "kwargs"),
    [
        (RATES, {}),
        (RATES, {"separable": True}),
        (RATES, {"image_pooling": False}),
        # The official MobileNetV2 models.
        ((), {}),
    ],
)
def test_pyramid_at_one_pixel_is_the_projection_of_its_branches_in_order(
    rates: tuple[int, ...], kwargs: dict[str, Any]
) -> None:
    layer, weights = make_layer(rates=rates, epsilon=0.1, **kwargs)
    inputs = pixels(SHAPE)
    parts = []
    if layer.image_pooling:
        mean = inputs.mean((1, 2)) @ weights["image_pooling/projection/conv/kernel"]
        parts.append(
            norm_relu(mean[0, 0], weights, "image_pooling/projection/conv", 0.1)
        )
    parts.append(branch(inputs, weights, "rate_0", None))
    for index, rate in enumerate(rates, start=1):
        parts.append(branch(inputs, weights, f"rate_{index}", rate))
    projection = weights["projection/conv/kernel"]
    assert projection.shape == (1, 1, 3 * len(parts), 3)
    expected = np.concatenate(parts, axis=-1) @ projection[0, 0]
    expected = norm_relu(expected, weights, "projection/conv", 0.1)
    found = np.array(layer(inputs))[:, *PIXEL]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_pyramid_pools_over_the_window_it_is_given() -> None:
    layer, _ = make_layer(rates=(), epsilon=0.1, image_pooling_window=(9, 4))
    # Zero but for the right edge, which the first window does not see.
    inputs = np.zeros(SHAPE, "float32")
    inputs[:, :, 4:] = pixels((2, 9, 4, 4))
    found = np.array(layer(inputs))[:, 0, 0]
    empty, _ = make_layer(rates=(), epsilon=0.1)
    empty.set_weights(layer.get_weights())
    expected = np.array(empty(np.zeros(SHAPE)))[:, 0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("separable", [False, True])
def test_sum_at_one_pixel_adds_one_classifier_a_rate(separable: bool) -> None:
    layer, weights = make_layer(rates=RATES, merge="sum", separable=separable)
    inputs = pixels(SHAPE)
    expected = np.zeros((2, 3))
    for index, rate in enumerate(RATES, start=1):
        kernel = weights[f"fc8_{index}/kernel"]
        if separable:
            depthwise = weights[f"fc8_{index}/depthwise/kernel"]
            kernel = depthwise * kernel
        expected += np.einsum("ijbc,ijcf->bf", taps(inputs, rate), kernel)
        expected += weights[f"fc8_{index}/bias"]
    found = np.array(layer(inputs))[:, *PIXEL]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    # Scores of a classifier may be negative.
    assert np.array(layer(-inputs)).min() < 0


@pytest.mark.parametrize("separable", [False, True])
def test_sum_with_hidden_filters_is_three_convolutions_deep(separable: bool) -> None:
    layer, weights = make_layer(
        rates=RATES, merge="sum", hidden_filters=5, separable=separable
    )
    inputs = pixels(SHAPE)
    expected = np.zeros((2, 3))
    for index, rate in enumerate(RATES, start=1):
        seen = taps(inputs, rate)
        if separable:
            kernel = weights[f"fc6_{index}/depthwise/kernel"][..., 0]
            x = np.einsum("ijbc,ijc->bc", seen, kernel)
            x += weights[f"fc6_{index}/depthwise/bias"]
            x = x @ weights[f"fc6_{index}/pointwise/kernel"][0, 0]
            x += weights[f"fc6_{index}/pointwise/bias"]
        else:
            x = np.einsum("ijbc,ijcf->bf", seen, weights[f"fc6_{index}/conv/kernel"])
            x += weights[f"fc6_{index}/conv/bias"]
        x = np.maximum(x, 0) @ weights[f"fc7_{index}/conv/kernel"][0, 0]
        x = np.maximum(x + weights[f"fc7_{index}/conv/bias"], 0)
        expected += x @ weights[f"fc8_{index}/kernel"][0, 0]
        expected += weights[f"fc8_{index}/bias"]
    found = np.array(layer(inputs))[:, *PIXEL]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_dropout_after_the_projection_drops_or_scales_up() -> None:
    layer, _ = make_layer(rates=(2,), dropout=0.75)
    kept, _ = make_layer(rates=(2,), dropout=0.0)
    inputs = pixels((2, 33, 33, 4))
    found, expected = (np.array(each(inputs, training=True)) for each in (layer, kept))
    ratios = found[expected > 0.01] / expected[expected > 0.01]
    assert set(np.unique(ratios.round(3))) == {0.0, 4.0}
    assert np.mean(ratios == 0) == pytest.approx(0.75, abs=0.05)
    np.testing.assert_array_equal(layer(inputs), layer(inputs, training=False))


def test_dropout_of_a_sum_follows_hidden_convolutions_only() -> None:
    inputs = pixels(SHAPE)
    plain, _ = make_layer(rates=(2,), merge="sum", dropout=0.9)
    np.testing.assert_array_equal(plain(inputs, training=True), plain(inputs))
    deep, _ = make_layer(rates=(2,), merge="sum", dropout=0.9, hidden_filters=5)
    assert not np.array_equal(deep(inputs, training=True), deep(inputs))


def test_branches_start_differently() -> None:
    layer = ASPP(3, (2, 4))
    layer.build(SHAPE)
    kernels = [np.array(w) for w in layer.weights if w.shape == (3, 3, 4, 3)]
    assert len(kernels) == 2
    assert not np.array_equal(*kernels)


@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_aspp_of_an_unknown_size_exports_fused(merge: str) -> None:
    inputs = keras.Input((None, None, 4))
    model = keras.Model(inputs, ASPP(3, (2, 6), merge=merge)(inputs))
    randomize(model)
    content = litert.convert(model)
    found = litert.operations(content)
    if merge == "sum":
        assert found == {"CONV_2D": 2, "ADD": 1}
    else:
        shape = {"SHAPE", "STRIDED_SLICE", "PACK"}
        assert {name: found[name] for name in set(found) - shape} == {
            "CONV_2D": 5,
            "MEAN": 1,
            "RESIZE_BILINEAR": 1,
            "CONCATENATION": 1,
        }
    features = pixels((1, 9, 8, 4))
    (answer,) = litert.run(content, features)
    np.testing.assert_allclose(answer, model(features), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"filters": -1}, r"`filters` must be .* Received: filters=-1"),
        (
            {"rates": (6, 0)},
            r"`rates` must hold integers of at least 1\. Received: rates=\(6, 0\)",
        ),
        ({"rates": [6.0]}, r"Received: rates=\[6\.0\]"),
        (
            {"merge": "max"},
            r"`merge` must be one of 'concat', 'sum'\. Received: merge='max'",
        ),
        (
            {"merge": "sum", "rates": ()},
            r"`rates` must not be empty to sum\. Received: rates=\(\)",
        ),
        (
            {"dropout": 1.0},
            r"`dropout` must lie in \[0, 1\)\. Received: dropout=1\.0",
        ),
        (
            {"hidden_filters": 0, "merge": "sum"},
            r"`hidden_filters` must be .* Received: hidden_filters=0",
        ),
        (
            {"image_pooling_window": 0},
            r"`image_pooling_window` must be .* Received: image_pooling_window=0",
        ),
    ],
)
def test_argument_out_of_range_is_named_in_the_error(
    kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ASPP(**kwargs)
