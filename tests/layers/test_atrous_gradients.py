"""Gradients of the atrous convolutions, against exact ones.

TensorFlow's own CPU kernels refuse a dilated gradient, or get it silently wrong.
"""

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_deeplab._types import Rate
from keras_deeplab.layers import AtrousConv, AtrousDepthwiseConv
from tests.checks import pixels
from tests.layers import numpy_layers

ROOT = pathlib.Path(__file__).parents[2]

KINDS = {
    "conv": (AtrousConv, {"filters": 3}),
    "depthwise": (AtrousDepthwiseConv, {}),
    "separable": (AtrousConv, {"filters": 3, "separable": True}),
}


def make_layer(kind: str, **kwargs: Any) -> keras.layers.Layer:
    cls, own = KINDS[kind]
    layer = cls(**own, **kwargs, use_bias=False)
    layer.build((None, None, None, 2))
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=w.shape) for w in layer.weights])
    return layer


def numpy_call(
    kind: str, inputs: np.ndarray, kernels: list[np.ndarray], **settings: Any
) -> np.ndarray:
    """The layer in float64. A separable layer lists the depthwise kernel last."""
    if kind == "conv":
        return numpy_layers.convolve(inputs, *kernels, **settings)
    *pointwise, depthwise = kernels
    outputs = numpy_layers.convolve(inputs, depthwise, depthwise=True, **settings)
    return numpy_layers.convolve(outputs, *pointwise) if pointwise else outputs


def exact_gradient(
    score: Callable[..., np.ndarray], values: list[np.ndarray], index: int
) -> np.ndarray:
    """The score is linear in each value, so its slope is its value at unit vectors."""
    gradient = np.zeros(values[index].shape)
    for position in np.ndindex(*gradient.shape):
        unit = np.zeros_like(gradient)
        unit[position] = 1
        gradient[position] = score(*values[:index], unit, *values[index + 1 :])
    return gradient


def layer_gradients(
    layer: keras.layers.Layer, inputs: np.ndarray, upstream: np.ndarray, mode: str
) -> list[np.ndarray]:
    """With respect to the inputs and to every kernel."""

    def gradients(x: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = tf.reduce_sum(layer(x) * upstream)
        return tape.gradient(score, [x, *(w.value for w in layer.weights)])

    if mode != "eager":
        # As `fit` traces it: on a CPU, and on a GPU; sides are unknown.
        signature = [tf.TensorSpec((None, None, None, 2))]
        gradients = tf.function(gradients, signature, jit_compile=mode == "xla")
    return [np.array(gradient) for gradient in gradients(tf.constant(inputs))]


def check_gradients(kind: str, size: tuple[int, int], mode: str, **kwargs: Any) -> None:
    layer = make_layer(kind, **kwargs)
    inputs = pixels((1, *size, 2))
    upstream = np.random.default_rng(2).normal(size=layer(inputs).shape)
    settings = {"padding": "symmetric", "rate": 1, "strides": 1} | kwargs
    settings.pop("kernel_size", None)

    def score(x: np.ndarray, *kernels: np.ndarray) -> np.ndarray:
        return np.sum(numpy_call(kind, x, list(kernels), **settings) * upstream)

    values = [inputs.astype("float64"), *(np.array(w) for w in layer.weights)]
    found = layer_gradients(layer, inputs, upstream.astype("float32"), mode)
    assert len(found) == len(values)
    for index, gradient in enumerate(found):
        np.testing.assert_allclose(
            gradient,
            exact_gradient(score, values, index),
            rtol=1e-4,
            atol=1e-4,
            err_msg=f"{index=}, {size=}",
        )


@pytest.mark.parametrize("padding", ["symmetric", "same"])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("rate", [1, 2, 3, 6, (1, 6), (3, 2)])
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_at_any_rate_and_stride_is_exact(
    kind: str, rate: Rate, strides: int, padding: str
) -> None:
    check_gradients(kind, (8, 7), "eager", rate=rate, strides=strides, padding=padding)


@pytest.mark.parametrize("mode", ["graph", "xla"])
@pytest.mark.parametrize("rate", [2, (1, 6)])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_inside_a_compiled_step_is_exact(
    kind: str, strides: int, rate: Rate, mode: str
) -> None:
    for padding in ("symmetric", "same"):
        check_gradients(kind, (8, 7), mode, rate=rate, strides=strides, padding=padding)


@pytest.mark.parametrize("kernel_size", [1, 2, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_of_any_kernel_size_is_exact(kind: str, kernel_size: int) -> None:
    check_gradients(kind, (6, 7), "eager", rate=2, kernel_size=kernel_size)


@pytest.mark.slow
def test_gradients_and_answers_without_onednn_are_the_same() -> None:
    # There TensorFlow has no dilated CPU gradient and no dilated depthwise operation.
    tests = (
        f"{__file__}::{test_gradient_at_any_rate_and_stride_is_exact.__name__}",
        __file__.replace("gradients", "depthwise_conv"),
    )
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env=os.environ | {"TF_ENABLE_ONEDNN_OPTS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "passed" in found.stdout
