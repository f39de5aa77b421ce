"""What every layer must do, whichever it is."""

import inspect
import json
import os
import pathlib
import subprocess
import tempfile
from typing import Any

import keras
import numpy as np
import tensorflow as tf

Shape = tuple[int | None, ...]


def check_layer(
    cls: type[keras.layers.Layer],
    kwargs: dict[str, Any],
    input_shape: Shape,
    expected_shape: Shape,
) -> None:
    """Checks the contract of a layer that takes one feature map.

    Args:
        cls: Class of the layer.
        kwargs: Arguments of the layer.
        input_shape: `(batch, height, width, channels)`, all known.
        expected_shape: Shape of the output.
    """
    check_config(cls, kwargs)
    check_weights(cls, kwargs, input_shape)
    check_shapes(cls(**kwargs), input_shape, expected_shape)
    for policy in ("mixed_float16", "mixed_bfloat16"):
        check_mixed_precision(cls, kwargs, input_shape, policy)
    check_fit_step(cls, kwargs, input_shape)
    check_files(cls(**kwargs), input_shape)


def check_config(cls: type[keras.layers.Layer], kwargs: dict[str, Any]) -> None:
    """The configuration is JSON, complete, and makes an equal object again."""
    layer = cls(**kwargs)
    config = layer.get_config()
    names = inspect.signature(cls).parameters
    assert set(config) >= set(names) - {"kwargs"}
    revived = cls.from_config(json.loads(json.dumps(config)))
    assert revived.get_config() == config
    assert dir(revived) == dir(layer)
    saved = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    assert saved["registered_name"] == f"keras_deeplab>{cls.__name__}"
    assert keras.saving.deserialize_keras_object(saved).get_config() == config


def check_weights(
    cls: type[keras.layers.Layer], kwargs: dict[str, Any], input_shape: Shape
) -> None:
    """`build` makes every weight that a call would make, under the same path."""
    built = cls(**kwargs, name="layer")
    built.build(input_shape)
    called = cls(**kwargs, name="layer")
    called(np.zeros(input_shape, "float32"))
    assert weights_of(built) == weights_of(called)
    built(np.zeros(input_shape, "float32"))
    assert weights_of(built) == weights_of(called)


def check_shapes(
    layer: keras.layers.Layer, input_shape: Shape, expected_shape: Shape
) -> None:
    """Eager, symbolic and traced shapes agree, with known and with unknown sides."""
    assert tuple(layer(np.zeros(input_shape, "float32")).shape) == expected_shape
    batch, _, _, channels = input_shape
    for shape in (input_shape, (batch, None, None, channels)):
        computed = layer.compute_output_shape(shape)
        assert tuple(layer(keras.KerasTensor(shape)).shape) == computed
        traced = tf.function(layer).get_concrete_function(tf.TensorSpec(shape))
        assert traced.output_shapes[-1] == expected_shape[-1]
        for known, side, truth in zip(
            traced.output_shapes, computed, expected_shape, strict=True
        ):
            assert known in (side, truth)
            assert side in (None, truth)
    assert layer.compute_output_shape(input_shape) == expected_shape


def check_mixed_precision(
    cls: type[keras.layers.Layer],
    kwargs: dict[str, Any],
    input_shape: Shape,
    policy: str,
) -> None:
    """Weights stay float32; outputs are in half precision, and close."""
    full, half = cls(**kwargs), cls(**kwargs, dtype=policy)
    inputs = pixels(input_shape)
    expected = run_with_random_weights(full, inputs)
    half.build(input_shape)
    half.set_weights(full.get_weights())
    outputs = half(inputs)
    assert {weight.dtype for weight in half.weights} <= {"float32"}
    assert keras.backend.standardize_dtype(outputs.dtype) == half.compute_dtype
    scale = np.abs(expected).max()
    outputs = np.asarray(tf.cast(outputs, "float32"))
    np.testing.assert_allclose(outputs, expected, atol=0.03 * scale, rtol=0)


def check_fit_step(
    cls: type[keras.layers.Layer], kwargs: dict[str, Any], input_shape: Shape
) -> None:
    """A step of training reaches every weight, and what comes before the layer.

    Compiled, as Keras does on a GPU, it arrives where the eager step does.
    """
    old, eager = fit_step(cls(**kwargs, name="layer"), input_shape, run_eagerly=True)
    _, compiled = fit_step(cls(**kwargs, name="layer"), input_shape, jit_compile=True)
    for path, value in old.items():
        assert np.isfinite(eager[path]).all(), path
        assert not np.array_equal(eager[path], value), path
        np.testing.assert_allclose(
            compiled[path], eager[path], rtol=1e-4, atol=1e-5, err_msg=path
        )


def fit_step(
    layer: keras.layers.Layer, input_shape: Shape, **compile_kwargs: bool
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The trainable weights before and after, in a model of unknown sides."""
    channels = input_shape[-1]
    model = keras.Sequential(
        [
            keras.Input((None, None, channels)),
            keras.layers.Dense(channels, kernel_initializer="identity", name="before"),
            layer,
        ],
        name="model",
    )
    randomize(layer)
    weights = {w.path: w for w in model.trainable_variables}
    inputs = pixels(input_shape)
    targets = np.random.default_rng(1).normal(size=layer(inputs).shape)
    model.compile(keras.optimizers.SGD(0.01), loss="mse", **compile_kwargs)
    old = {path: np.array(weight) for path, weight in weights.items()}
    model.fit(inputs, targets, batch_size=len(inputs), verbose=0)
    return old, {path: np.array(weight) for path, weight in weights.items()}


def check_files(layer: keras.layers.Layer, input_shape: Shape) -> None:
    """A `.keras` file and a SavedModel of unknown height and width answer alike."""
    inputs = pixels(input_shape)
    expected = run_with_random_weights(layer, inputs)
    model = keras.Sequential([keras.Input((None, None, input_shape[-1])), layer])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model.save(folder / "model.keras")
        revived = keras.saving.load_model(folder / "model.keras")
        np.testing.assert_array_equal(revived(inputs), model(inputs))
        model.export(folder / "saved_model", verbose=False)
        saved = tf.saved_model.load(str(folder / "saved_model"))
        served = saved.serve(inputs)
    # The size is known when the layer is called by itself, and unknown elsewhere.
    np.testing.assert_allclose(model(inputs), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(served, expected, rtol=1e-5, atol=1e-5)


def weights_of(layer: keras.layers.Layer) -> list[tuple[Any, ...]]:
    """What identifies each weight of a layer."""
    return [
        (weight.path, tuple(weight.shape), weight.dtype, weight.trainable)
        for weight in layer.weights
    ]


def randomize(layer: keras.layers.Layer) -> None:
    """Gives every weight a value that no initializer does; variances stay positive."""
    random = np.random.default_rng(0)
    for weight in layer.weights:
        weight.assign(random.uniform(0.1, 1.0, weight.shape))


def run_with_random_weights(
    layer: keras.layers.Layer, inputs: np.ndarray
) -> np.ndarray:
    layer.build(inputs.shape)
    randomize(layer)
    return np.asarray(layer(inputs))


def pixels(shape: Shape) -> np.ndarray:
    """Normal numbers, always the same ones."""
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def run_on_backend(
    python: str, worker: pathlib.Path, out: pathlib.Path, backend: str, **variables: str
) -> dict[str, np.ndarray]:
    """The arrays that a script writes to `out` under another backend of Keras."""
    root = pathlib.Path(__file__).parents[1]
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": str(root),
        **variables,
    }
    done = subprocess.run(
        [python, str(worker), str(out)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with np.load(out) as found:
        return dict(found)
