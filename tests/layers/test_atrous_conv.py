import math
from typing import Any

import keras
import numpy as np
import pytest

from keras_deeplab._types import Rate
from keras_deeplab.layers import AtrousConv
from tests.checks import check_layer, pixels, randomize
from tests.layers import numpy_layers

# Odd, even and mixed, some smaller than the window at rate 6; 13 and 7 are both
# `strides * n + 1` for every stride, where the padding fuses.
SIZES = ((9, 8), (12, 6), (13, 7))


@pytest.mark.parametrize(
    ("kwargs", "expected_shape"),
    [
        ({"filters": 3, "rate": (1, 6)}, (2, 9, 8, 3)),
        (
            {
                "filters": 3,
                "kernel_size": 5,
                "strides": 2,
                "separable": True,
                "use_bias": False,
                "kernel_regularizer": "l2",
            },
            (2, 5, 4, 3),
        ),
        (
            {"filters": 3, "strides": 2, "rate": 2, "padding": "same"},
            (2, 5, 4, 3),
        ),
    ],
)
def test_atrous_conv_of_any_form_keeps_the_layer_contract(
    kwargs: dict[str, Any], expected_shape: tuple[int, ...]
) -> None:
    check_layer(AtrousConv, kwargs, (2, 9, 8, 4), expected_shape)


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("padding", ["symmetric", "same"])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("rate", [1, 2, 3, 6, (1, 6), (3, 2)])
def test_atrous_conv_at_any_rate_equals_a_kernel_filled_with_zeros(
    rate: Rate, strides: int, padding: str, separable: bool
) -> None:
    settings = {"strides": strides, "rate": rate, "padding": padding}
    for kernel_size in (1, 2, 3, 5):
        layer = AtrousConv(3, kernel_size, separable=separable, **settings)
        layer.build((2, None, None, 4))
        randomize(layer)
        for size in SIZES:
            inputs = pixels((2, *size, 4))
            expected = inputs
            if separable:
                expected = numpy_layers.convolve(
                    expected,
                    np.array(layer.depthwise_conv.kernel),
                    depthwise=True,
                    **settings,
                )
            expected = numpy_layers.convolve(
                expected, np.array(layer.kernel), **({} if separable else settings)
            )
            np.testing.assert_allclose(
                layer(inputs),
                expected + np.array(layer.bias),
                rtol=1e-4,
                atol=1e-4,
                err_msg=f"{kernel_size=}, {size=}",
            )


def test_padding_of_an_even_size_shifts_the_centres_only_when_same() -> None:
    # One tap in the middle: the outputs are the inputs at the centres.
    inputs = np.arange(8.0).reshape(1, 1, 8, 1)
    centres = {}
    for padding in ("symmetric", "same"):
        layer = AtrousConv(1, strides=2, padding=padding)
        layer.build(inputs.shape)
        layer.kernel.assign(np.eye(9)[4].reshape(3, 3, 1, 1))
        centres[padding] = np.array(layer(inputs)).ravel().tolist()
    assert centres == {"symmetric": [0, 2, 4, 6], "same": [1, 3, 5, 7]}


def test_atrous_conv_when_separable_is_depthwise_then_pointwise() -> None:
    layer = AtrousConv(5, rate=2, separable=True)
    layer.build((1, 9, 9, 3))
    shapes = {weight.path: tuple(weight.shape) for weight in layer.weights}
    assert sorted(shapes.values()) == [(1, 1, 3, 5), (3, 3, 3, 1), (5,)]
    assert layer.kernel.shape == (1, 1, 3, 5)


def test_regularizer_of_a_separable_conv_leaves_the_depthwise_kernel_out() -> None:
    layer = AtrousConv(5, separable=True, kernel_regularizer=keras.regularizers.L2(0.5))
    layer.build((1, 9, 9, 3))
    (loss,) = layer.losses
    expected = 0.5 * np.square(np.array(layer.kernel)).sum()
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("kwargs", "height", "expected"),
    [
        ({}, 9, 9 * 4 * 5 * 9 * 8),
        ({"strides": 2}, 9, 9 * 4 * 5 * 5 * 4),
        ({"separable": True, "strides": 2}, 9, (9 * 4 + 4 * 5) * 5 * 4),
        ({}, None, None),
    ],
)
def test_multiply_adds_of_a_known_size_are_products_of_kernel_and_positions(
    kwargs: dict[str, Any], height: int | None, expected: int | None
) -> None:
    layer = AtrousConv(5, rate=2, **kwargs)
    layer.build((None, height, 8, 4))
    parts = [layer, layer.depthwise_conv] if layer.separable else [layer]
    counts = [part.multiply_adds for part in parts]
    assert (None if None in counts else math.fsum(counts)) == expected


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"filters": 0}, r"`filters` must be .* at least 1\. Received: filters=0"),
        ({"filters": 2.0}, r"Received: filters=2\.0"),
        ({"filters": True}, r"Received: filters=True"),
        ({"kernel_size": 0}, r"`kernel_size` must be .* Received: kernel_size=0"),
        ({"strides": (2, 2)}, r"`strides` must be .* Received: strides=\(2, 2\)"),
        ({"rate": -1}, r"`rate` must be .* Received: rate=-1"),
        ({"rate": (2, 0)}, r"`rate` must be .* Received: rate=\(2, 0\)"),
        ({"rate": (1, 2, 3)}, r"`rate` must be .* Received: rate=\(1, 2, 3\)"),
        (
            {"padding": "valid"},
            r"`padding` must be one of 'symmetric', 'same'\. "
            r"Received: padding='valid'",
        ),
    ],
)
def test_argument_out_of_range_is_named_in_the_error(
    kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        AtrousConv(**{"filters": 3, **kwargs})


@pytest.mark.parametrize("shape", [(9, 9, 4), (1, 9, 9, None)])
def test_input_that_is_no_feature_map_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"known number of channels\. Received: inp"):
        AtrousConv(3).build(shape)


@pytest.mark.parametrize("rate", [1, 2])
def test_another_number_of_channels_raises(rate: int) -> None:
    layer = AtrousConv(2, rate=rate)
    layer(np.zeros((1, 5, 5, 2), "float32"))
    with pytest.raises(ValueError, match="expected axis -1"):
        layer(np.zeros((1, 5, 5, 4), "float32"))
