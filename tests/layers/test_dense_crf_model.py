"""`DenseCRF` in models, their files and their TFLite exports."""

import json
import pathlib
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_deeplab.layers import DenseCRF
from tests.layers import litert
from tests.layers.crf_scenes import PLAIN, agreement
from tests.layers.crf_worker import scene


def crf_model(
    size: tuple[int | None, int | None], batch: int | None = None, **kwargs: Any
) -> keras.Model:
    logits = keras.Input((*size, 4), batch_size=batch, name="logits")
    image = keras.Input((*size, 3), batch_size=batch, name="image")
    return keras.Model([logits, image], DenseCRF(name="crf", **kwargs)(logits, image))


@pytest.mark.parametrize("trainable", [True, False])
def test_file_of_a_model_answers_alike(trainable: bool, tmp_path: pathlib.Path) -> None:
    model = crf_model((24, 33), trainable_parameters=trainable, theta_beta=9.0, **PLAIN)
    for weight in model.weights:
        weight.assign(np.random.default_rng(0).uniform(0.5, 0.8, weight.shape))
    inputs = list(scene(size=(24, 33)))
    path = tmp_path / "model.keras"
    model.save(path)
    revived = keras.saving.load_model(path)
    np.testing.assert_array_equal(revived(inputs), model(inputs))
    assert json.dumps(revived.get_layer("crf").get_config())


def test_model_of_unknown_size_answers_where_the_size_is_known() -> None:
    model = crf_model((None, None), **PLAIN)
    assert model.output_shape == (None, None, None, 4)
    inputs = list(scene(size=(24, 33)))
    expected = crf_model((24, 33), **PLAIN)(inputs)
    np.testing.assert_allclose(model.predict(inputs, verbose=0), expected, atol=1e-4)
    unknown = tf.function(
        model.get_layer("crf"),
        input_signature=[tf.TensorSpec((1, None, None, c)) for c in (4, 3)],
    )
    with pytest.raises(ValueError, match=r"`inputs` must have a known height and"):
        unknown.get_concrete_function()


@pytest.mark.parametrize("accuracy", ["accurate", "mobile"])
def test_crf_of_a_known_size_exports_to_built_in_operations(accuracy: str) -> None:
    # Large enough for grids of each stride.
    size = (257, 261)
    model = crf_model(size, 1, accuracy=accuracy, iterations=4)
    logits, images = scene(size=size, batch=1)
    expected = np.array(model([logits, images]))
    full = tf.lite.TFLiteConverter.from_keras_model(model)
    half = tf.lite.TFLiteConverter.from_keras_model(model)
    half.optimizations = [tf.lite.Optimize.DEFAULT]
    half.target_spec.supported_types = [tf.float16]
    for converter in (full, half):
        assert converter.target_spec.supported_ops == {tf.lite.OpsSet.TFLITE_BUILTINS}
        content = converter.convert()
        names = set(litert.operations(content))
        assert not names & {"CUSTOM", "WHILE", "ADD_N", "DELEGATE"}
        found, ranks = run_tflite(content, logits, images)
        assert max(ranks) <= 4
        assert agreement(found, expected) > 0.999


def run_tflite(
    content: bytes, logits: np.ndarray, images: np.ndarray
) -> tuple[np.ndarray, list[int]]:
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    for details in interpreter.get_input_details():
        value = logits if details["shape"][-1] == logits.shape[-1] else images
        interpreter.set_tensor(details["index"], value)
    interpreter.invoke()
    (output,) = interpreter.get_output_details()
    ranks = [len(details["shape"]) for details in interpreter.get_tensor_details()]
    return interpreter.get_tensor(output["index"]), ranks
