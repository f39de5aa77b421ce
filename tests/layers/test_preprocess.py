import keras
import numpy as np
import pytest

from keras_deeplab.layers import Preprocess
from tests.checks import check_layer

RGB = np.array([[[[0, 127.5, 255], [10, 20, 30]]]], "float32")


@pytest.mark.parametrize("mode", ["symmetric", "caffe", "mean", "none"])
def test_preprocess_in_any_mode_keeps_the_layer_contract(mode: str) -> None:
    check_layer(Preprocess, {"mode": mode}, (2, 9, 8, 3), (2, 9, 8, 3))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("symmetric", [[-1, 0, 1], [10 / 127.5 - 1, 20 / 127.5 - 1, 30 / 127.5 - 1]]),
        (
            "caffe",
            [
                [255 - 103.939, 127.5 - 116.779, -123.68],
                [30 - 103.939, 20 - 116.779, 10 - 123.68],
            ],
        ),
        (
            "mean",
            [
                [-123.15, 127.5 - 115.9, 255 - 103.06],
                [10 - 123.15, 20 - 115.9, 30 - 103.06],
            ],
        ),
        ("none", [[0, 127.5, 255], [10, 20, 30]]),
    ],
)
def test_pixels_in_any_mode_become_the_official_numbers(
    mode: str, expected: list[list[float]]
) -> None:
    found = Preprocess(mode)(RGB)
    np.testing.assert_allclose(found, [[expected]], rtol=1e-6, atol=1e-5)


def test_caffe_pixels_are_those_of_keras_applications() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3)).astype("float32")
    expected = keras.applications.imagenet_utils.preprocess_input(
        pixels.copy(), mode="caffe"
    )
    np.testing.assert_allclose(Preprocess("caffe")(pixels), expected, atol=1e-5)


def test_integer_pixels_give_what_floating_ones_do() -> None:
    pixels = np.arange(256, dtype="uint8")[:255].reshape(1, 17, 5, 3)
    layer = Preprocess("symmetric")
    np.testing.assert_array_equal(layer(pixels), layer(pixels.astype("float32")))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_pixels_under_mixed_precision_are_rounded_only_once(policy: str) -> None:
    # A bilinear resize leaves fractions, which half precision has not near 255.
    pixels = np.linspace(125, 130, 300, dtype="float32").reshape(1, 10, 10, 3)
    exact = keras.ops.convert_to_tensor(pixels / np.float32(127.5) - 1)
    layer = Preprocess("symmetric", dtype=policy)
    outputs = layer(pixels)
    assert keras.backend.standardize_dtype(outputs.dtype) == layer.compute_dtype
    found = keras.ops.cast(outputs, "float32")
    tolerance = 2**-7 if policy == "mixed_bfloat16" else 2**-10
    np.testing.assert_allclose(found, exact, rtol=tolerance, atol=1e-6)


def test_unknown_mode_is_named_in_the_error() -> None:
    message = (
        r"`mode` must be one of 'symmetric', 'caffe', 'caffe_voc', 'mean', 'none'\. "
        r"Received: mode='torch'"
    )
    with pytest.raises(ValueError, match=message):
        Preprocess("torch")
