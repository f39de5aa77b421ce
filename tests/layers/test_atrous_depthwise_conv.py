from typing import Any

import numpy as np
import pytest

from keras_deeplab._types import Rate
from keras_deeplab.layers import AtrousDepthwiseConv, BatchNormalization
from tests.checks import check_layer, pixels, randomize
from tests.layers import numpy_layers


@pytest.mark.parametrize(
    ("kwargs", "expected_shape"),
    [
        ({"rate": 2, "use_bias": False}, (2, 9, 8, 4)),
        ({"rate": (18, 1)}, (2, 9, 8, 4)),
        ({"rate": 2, "strides": 2, "padding": "same"}, (2, 5, 4, 4)),
        ({"kernel_size": 5, "strides": 2, "kernel_regularizer": "l2"}, (2, 5, 4, 4)),
    ],
)
def test_atrous_depthwise_conv_of_any_form_keeps_the_layer_contract(
    kwargs: dict[str, Any], expected_shape: tuple[int, ...]
) -> None:
    check_layer(AtrousDepthwiseConv, kwargs, (2, 9, 8, 4), expected_shape)


@pytest.mark.parametrize("padding", ["symmetric", "same"])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("rate", [1, 2, 3, 6, (1, 6), (3, 2)])
def test_atrous_depthwise_conv_at_any_rate_equals_a_kernel_filled_with_zeros(
    rate: Rate, strides: int, padding: str
) -> None:
    settings = {"strides": strides, "rate": rate, "padding": padding}
    for kernel_size in (1, 2, 3, 5):
        layer = AtrousDepthwiseConv(kernel_size, **settings)
        layer.build((2, None, None, 4))
        randomize(layer)
        kernel, bias = (np.array(weight) for weight in layer.weights)
        for size in ((9, 8), (12, 6), (13, 7)):
            inputs = pixels((2, *size, 4))
            expected = numpy_layers.convolve(inputs, kernel, depthwise=True, **settings)
            np.testing.assert_allclose(
                layer(inputs),
                expected + bias,
                rtol=1e-4,
                atol=1e-5,
                err_msg=f"{kernel_size=}, {size=}",
            )


@pytest.mark.parametrize("use_bias", [False, True])
def test_batch_norm_given_to_the_convolution_is_merged(use_bias: bool) -> None:
    shape = (2, 9, 8, 4)
    layer, norm = AtrousDepthwiseConv(rate=2, use_bias=use_bias), BatchNormalization()
    layer.build(shape)
    norm.build(shape)
    randomize(layer)
    randomize(norm)
    inputs = pixels(shape)
    expected = norm(layer(inputs))
    np.testing.assert_allclose(layer(inputs, norm=norm), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"kernel_size": "3"}, r"`kernel_size` must be .* Received: kernel_size='3'"),
        ({"strides": 0}, r"`strides` must be .* Received: strides=0"),
        ({"rate": 1.5}, r"`rate` must be .* Received: rate=1\.5"),
        ({"padding": "SAME"}, r"'symmetric', 'same'\. Received: padding='SAME'"),
    ],
)
def test_argument_out_of_range_is_named_in_the_error(
    kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        AtrousDepthwiseConv(**kwargs)
