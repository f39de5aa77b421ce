from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_deeplab.layers import BatchNormalization, ConvBlock
from tests.checks import check_layer, pixels, randomize
from tests.layers import numpy_layers
from tests.layers.numpy_layers import batch_norm, relu

SHAPE = (2, 9, 8, 4)


@pytest.mark.parametrize(
    ("kwargs", "expected_shape"),
    [
        ({"filters": 3, "strides": 2, "activation": "hard_swish"}, (2, 5, 4, 3)),
        (
            {
                "filters": 3,
                "rate": 2,
                "separable": True,
                # Without it the batch norm after it cancels the one before.
                "depthwise_activation": "relu6",
                "kernel_initializer": keras.initializers.TruncatedNormal(0.0, 0.06),
            },
            (2, 9, 8, 3),
        ),
        ({"filters": None, "padding": "same", "batch_norm": False}, SHAPE),
    ],
)
def test_conv_block_of_any_form_keeps_the_layer_contract(
    kwargs: dict[str, Any], expected_shape: tuple[int, ...]
) -> None:
    check_layer(ConvBlock, kwargs, SHAPE, expected_shape)


def run(**kwargs: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The block's answer, and its weights by the name of their layer."""
    block = ConvBlock(**kwargs, name="block")
    block.build(SHAPE)
    randomize(block)
    parts: dict[str, Any] = {}
    for weight in block.weights:
        parts.setdefault(weight.path.split("/")[1], []).append(np.array(weight))
    return np.array(block(pixels(SHAPE))), parts


def test_conv_block_is_convolution_then_batch_norm_then_relu() -> None:
    found, parts = run(filters=3, rate=2, strides=2, epsilon=0.1)
    assert list(parts) == ["conv", "conv_batch_norm"]
    (kernel,) = parts["conv"]
    expected = numpy_layers.convolve(pixels(SHAPE), kernel, rate=2, strides=2)
    expected = relu(batch_norm(expected, parts["conv_batch_norm"], 0.1))
    assert 0.1 < np.mean(expected == 0) < 0.9
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("between", [None, "relu"])
def test_separable_block_normalises_after_either_half(between: str | None) -> None:
    found, parts = run(
        filters=3,
        rate=2,
        separable=True,
        depthwise_activation=between,
        activation=None,
        epsilon=1e-3,
    )
    (depthwise,), (pointwise,) = parts["depthwise"], parts["pointwise"]
    x = numpy_layers.convolve(pixels(SHAPE), depthwise, rate=2, depthwise=True)
    x = batch_norm(x, parts["depthwise_batch_norm"], 1e-3)
    x = numpy_layers.convolve(relu(x) if between else x, pointwise)
    x = batch_norm(x, parts["pointwise_batch_norm"], 1e-3)
    np.testing.assert_allclose(found, x, rtol=1e-4, atol=1e-4)
    assert x.min() < 0


def test_block_without_filters_is_the_depthwise_half() -> None:
    found, parts = run(filters=None, strides=2, padding="same", activation="relu")
    assert list(parts) == ["depthwise", "depthwise_batch_norm"]
    settings = {"strides": 2, "padding": "same", "depthwise": True}
    x = numpy_layers.convolve(pixels(SHAPE), *parts["depthwise"], **settings)
    x = relu(batch_norm(x, parts["depthwise_batch_norm"], 1e-5))
    np.testing.assert_allclose(found, x, rtol=1e-4, atol=1e-5)


def test_block_without_filters_and_activation_is_linear() -> None:
    found, _ = run(filters=None, activation=None, depthwise_activation="relu")
    assert found.min() < 0


def test_block_without_batch_norm_has_biases() -> None:
    found, parts = run(filters=3, separable=True, batch_norm=False)
    assert list(parts) == ["depthwise", "pointwise"]
    (depthwise, bias), (pointwise, last_bias) = parts.values()
    x = numpy_layers.convolve(pixels(SHAPE), depthwise, depthwise=True) + bias
    x = relu(numpy_layers.convolve(x, pointwise) + last_bias)
    np.testing.assert_allclose(found, x, rtol=1e-4, atol=1e-4)


def test_batch_norm_in_training_uses_and_remembers_the_batch() -> None:
    block = ConvBlock(3, momentum=0.75, activation=None)
    inputs = pixels(SHAPE)
    outputs = np.array(block(inputs, training=True))
    np.testing.assert_allclose(outputs.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(outputs.std((0, 1, 2)), 1, atol=1e-3)
    norm = block.steps[1]
    mean = np.array(block.steps[0](inputs)).mean((0, 1, 2))
    np.testing.assert_allclose(norm.moving_mean, 0.25 * mean, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kwargs", [{}, {"rate": 2}, {"filters": None, "strides": 2}])
@pytest.mark.parametrize("frozen", [False, True])
def test_merged_batch_norm_has_the_answers_and_gradients_of_its_own(
    kwargs: dict[str, Any], frozen: bool
) -> None:
    block = ConvBlock(**{"filters": 3, "separable": True, **kwargs})
    block.build(SHAPE)
    randomize(block)
    if frozen:
        block.steps[1].trainable = block.steps[-2].trainable = False

    def apart(x: tf.Tensor, training: bool) -> tf.Tensor:
        for step in block.steps:
            norm = isinstance(step, BatchNormalization)
            x = step(x, **({"training": training} if norm else {}))
        return x

    answers = []
    for call in (block, apart):
        x = tf.constant(pixels(SHAPE))
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = call(x, training=frozen)
            loss = tf.reduce_sum(outputs * outputs)
        wanted = [x, *(weight.value for weight in block.trainable_weights)]
        answers.append([outputs, *tape.gradient(loss, wanted)])
    for found, expected in zip(*answers, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("kwargs", "training", "frozen", "norms"),
    [
        ({"filters": None}, False, False, 0),
        ({"filters": 3, "separable": True}, False, False, 1),
        ({"filters": 3, "separable": True}, True, False, 2),
        ({"filters": 3, "separable": True}, True, True, 1),
        ({"filters": None, "dtype": "mixed_float16"}, False, False, 1),
        ({"filters": 3}, False, False, 1),
    ],
)
def test_batch_norm_behind_a_depthwise_convolution_is_part_of_it_at_inference(
    kwargs: dict[str, Any], training: bool, frozen: bool, norms: int
) -> None:
    block = ConvBlock(**kwargs)
    block.build(SHAPE)
    block.trainable = not frozen
    traced = tf.function(lambda x: block(x, training=training))
    graph = traced.get_concrete_function(tf.TensorSpec(SHAPE)).graph
    types = [operation.type for operation in graph.get_operations()]
    assert types.count("FusedBatchNormV3") == norms


@pytest.mark.parametrize("kwargs", [{"filters": 3}, {"filters": None}])
def test_frozen_block_keeps_its_statistics_in_training(kwargs: dict[str, Any]) -> None:
    block = ConvBlock(**kwargs)
    inputs = pixels(SHAPE)
    expected = np.array(block(inputs))
    block.trainable = False
    np.testing.assert_array_equal(block(inputs, training=True), expected)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"filters": 0}, r"`filters` must be .* Received: filters=0"),
        ({"kernel_size": 0}, r"`kernel_size` must be .* Received: kernel_size=0"),
        ({"strides": 0}, r"`strides` must be .* Received: strides=0"),
        ({"rate": 0}, r"`rate` must be .* Received: rate=0"),
        ({"padding": "valid"}, r"`padding` must be one of .* padding='valid'"),
    ],
)
def test_argument_out_of_range_is_named_in_the_error(
    kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ConvBlock(**{"filters": 3, **kwargs})
