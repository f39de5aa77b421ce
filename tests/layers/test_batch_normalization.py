import pathlib
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_deeplab.layers import BatchNormalization
from tests.checks import check_layer, pixels, randomize

SHAPE = (2, 5, 4, 3)


@pytest.mark.parametrize("kwargs", [{}, {"scale": False}])
def test_batch_norm_of_any_form_keeps_the_layer_contract(
    kwargs: dict[str, Any],
) -> None:
    check_layer(BatchNormalization, kwargs, SHAPE, SHAPE)


def trained(
    cls: type[keras.layers.Layer], inputs: np.ndarray, **kwargs: Any
) -> list[np.ndarray]:
    """What a layer answers in training, its gradients, and its weights afterwards."""
    layer = cls(epsilon=1e-5, momentum=0.7, **kwargs)
    layer.build(inputs.shape)
    randomize(layer)
    upstream = np.random.default_rng(1).normal(size=inputs.shape).astype("float32")

    @tf.function
    def step(x: tf.Tensor) -> tuple[Any, ...]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, training=True)
            loss = tf.reduce_sum(tf.cast(outputs, "float32") * upstream)
        wanted = [x, *(w.value for w in layer.trainable_weights)]
        return outputs, *tape.gradient(loss, wanted)

    answers = [np.asarray(tf.cast(each, "float32")) for each in step(inputs)]
    return [*answers, *layer.get_weights()]


@pytest.mark.parametrize("shape", [SHAPE, (1, 1, 1, 3), (8, 17, 9, 5)])
def test_training_step_is_that_of_keras(shape: tuple[int, ...]) -> None:
    # Means that are not near zero, and a channel that does not change.
    inputs = pixels(shape) * 3 + 5
    inputs[..., 0] = 2
    found = trained(BatchNormalization, inputs)
    expected = trained(keras.layers.BatchNormalization, inputs)
    assert len(found) == 1 + 3 + 4
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_keeps_statistics_in_full(policy: str) -> None:
    inputs = pixels((4, 9, 9, 3)) + 1
    half = keras.ops.cast(inputs, policy.removeprefix("mixed_"))
    found = trained(BatchNormalization, half, dtype=policy)
    expected = trained(keras.layers.BatchNormalization, half, dtype=policy)
    for one, other in zip(found[-2:], expected[-2:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[0], expected[0], rtol=0.02, atol=0.02)


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "float64"])
def test_other_policies_train_as_in_keras(policy: str) -> None:
    inputs = pixels((4, 9, 9, 3)) + 1
    cast = keras.ops.cast(inputs, policy)
    found, expected = (
        trained(cls, cast, dtype=policy)
        for cls in (BatchNormalization, keras.layers.BatchNormalization)
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("frozen", [False, True])
def test_inference_and_its_gradients_are_those_of_keras(
    policy: str, frozen: bool
) -> None:
    inputs = pixels((4, 9, 7, 3)) * 3 + 5
    upstream = np.random.default_rng(1).normal(size=inputs.shape).astype("float32")
    answers = []
    for cls in (BatchNormalization, keras.layers.BatchNormalization):
        layer = cls(epsilon=1e-5, dtype=policy)
        layer.build(inputs.shape)
        randomize(layer)
        before = layer.get_weights()
        layer.trainable = not frozen
        x = keras.ops.cast(inputs, layer.compute_dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            # A frozen layer infers in training too.
            outputs = layer(x, training=frozen)
            loss = tf.reduce_sum(tf.cast(outputs, "float32") * upstream)
        assert outputs.dtype == layer.compute_dtype
        gradients = tape.gradient(loss, [x, *(w.value for w in layer.weights[:2])])
        for found, expected in zip(layer.get_weights(), before, strict=True):
            np.testing.assert_array_equal(found, expected)
        answers.append([np.array(tf.cast(a, "float32")) for a in (outputs, *gradients)])
    limits = {"rtol": 1e-4, "atol": 2e-4}
    if policy != "float32":
        limits = {"rtol": 0.02, "atol": 0.05}
    for found, expected in zip(*answers, strict=True):
        np.testing.assert_allclose(found, expected, **limits)


def operations(layer: keras.layers.Layer, **kwargs: Any) -> set[str]:
    layer.build(SHAPE)
    step = tf.function(lambda x: layer(x, **kwargs))
    graph = step.get_concrete_function(tf.TensorSpec(SHAPE)).graph
    return {operation.type for operation in graph.get_operations()}


def test_training_and_inference_are_one_operation_each() -> None:
    fused = "FusedBatchNormV3"
    assert fused in operations(BatchNormalization(), training=True)
    assert "SquaredDifference" not in operations(BatchNormalization(), training=True)
    for layer, training in (
        (BatchNormalization(), False),
        (BatchNormalization(trainable=False), True),
        (BatchNormalization(synchronized=True), False),
    ):
        found = operations(layer, training=training)
        assert fused in found
        assert "Mul" not in found
    synchronized = BatchNormalization(synchronized=True)
    assert fused not in operations(synchronized, training=True)


@pytest.mark.parametrize("kwargs", [{}, {"scale": False}, {"center": False}])
def test_scale_and_offset_are_what_inference_does(kwargs: dict[str, Any]) -> None:
    layer = BatchNormalization(epsilon=0.1, **kwargs)
    layer.build(SHAPE)
    randomize(layer)
    scale, offset = layer.scale_and_offset()
    inputs = pixels(SHAPE)
    np.testing.assert_allclose(inputs * scale + offset, layer(inputs), rtol=1e-4)


def test_weights_file_of_the_layer_of_keras_loads(tmp_path: pathlib.Path) -> None:
    theirs, ours = (
        keras.Sequential([keras.Input(SHAPE[1:]), cls()])
        for cls in (keras.layers.BatchNormalization, BatchNormalization)
    )
    randomize(theirs)
    theirs.save_weights(tmp_path / "norm.weights.h5")
    ours.load_weights(tmp_path / "norm.weights.h5")
    for found, expected in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(found, expected)
