import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.training import LayerwiseSGD
from keras_deeplab.training.averaged import AveragedModel
from tests.training import tiny_run


def tiny_model() -> keras_deeplab.DeepLabV3Plus:
    arguments = tiny_run.recipe().arguments
    return keras_deeplab.DeepLabV3Plus(**arguments, classes=3)


@pytest.mark.parametrize("scaled", [False, True])
def test_copy_has_the_averages_by_hand_and_leaves_the_model_alone(
    scaled: bool,
) -> None:
    model = tiny_model()
    optimizer = LayerwiseSGD(0.1, use_ema=True, ema_momentum=0.75)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, run_eagerly=True)
    random = np.random.default_rng(0)
    expected: list[np.ndarray] = []
    for step in range(3):
        images = random.normal(size=(2, 33, 33, 3)).astype("float32")
        model.train_on_batch(images, random.integers(0, 3, (2, 33, 33)))
        values = [np.array(weight) for weight in model.weights]
        # The first step begins the averages.
        kept = 0.75 if step else 0.0
        expected = [
            kept * old + (1 - kept) * new
            for old, new in zip(expected or values, values, strict=True)
        ]
    before = model.get_weights()
    copy = AveragedModel(model, output_stride=8).update(model.optimizer)
    assert copy.output_stride == 8
    for weight, value, mean, now in zip(
        model.weights, copy.get_weights(), expected, before, strict=True
    ):
        wanted = mean if weight.trainable else now
        np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(weight, now)
    changed = [w.trainable for w in model.weights]
    assert any(
        not np.allclose(mean, now)
        for mean, now, trainable in zip(expected, before, changed, strict=True)
        if trainable
    )


def test_copy_without_averages_is_the_model_in_float32() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = tiny_model()
    model.compile("sgd")
    copy = AveragedModel(model).update(model.optimizer)
    assert copy.get_config()["dtype"] == "float32"
    for value, wanted in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(value, wanted)
