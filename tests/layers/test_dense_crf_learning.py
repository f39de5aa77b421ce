"""Learning the parameters of `DenseCRF`."""

import dataclasses
import pathlib
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_deeplab.layers import CRF_PRESETS, DenseCRF
from tests.layers.crf_scenes import PLAIN
from tests.layers.crf_worker import scene


def loss_of(layer: DenseCRF, logits: np.ndarray, images: np.ndarray) -> Any:
    outputs = layer(logits, images)
    target = np.random.default_rng(1).uniform(size=outputs.shape).astype("float32")
    return tf.reduce_mean(tf.square(outputs - target))


def test_gradient_of_every_parameter_is_the_slope() -> None:
    logits, images = scene(3, (20, 17), 1)
    layer = DenseCRF(
        "v1", theta_alpha=9.0, theta_beta=30.0, trainable_parameters=True, **PLAIN
    )
    logits = tf.convert_to_tensor(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = loss_of(layer, logits, images)
    gradients = tape.gradient(loss, [logits, *layer.trainable_variables])
    assert np.abs(gradients[0]).max() > 0
    for weight, gradient in zip(layer.trainable_variables, gradients[1:], strict=True):
        step = 0.02 * np.random.default_rng(1).choice([-1, 1], weight.shape)
        value = np.array(weight)
        ends = []
        for sign in (1, -1):
            weight.assign(value + sign * step)
            ends.append(float(loss_of(layer, logits, images)))
        weight.assign(value)
        slope = float(np.sum(np.array(gradient) * step))
        np.testing.assert_allclose(
            (ends[0] - ends[1]) / 2, slope, rtol=0.05, atol=1e-7, err_msg=weight.path
        )


def test_parameters_far_below_zero_stay_positive() -> None:
    layer = DenseCRF("v1", trainable_parameters=True, **PLAIN)
    logits, images = scene(3, (20, 17), 1)
    layer(logits, images)
    for weight in layer.trainable_variables[:-1]:
        weight.assign(-100.0)
    values = layer.learned_parameters()
    assert min(values.theta_alpha, values.theta_beta, values.theta_gamma) > 0
    assert min(values.w_bilateral, values.w_gaussian) >= 0
    # They can be built again, as an export does.
    DenseCRF("v1", **dataclasses.asdict(values))
    assert np.isfinite(np.array(layer(logits, images))).all()


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_parameters_are_learned_in_single_precision(dtype: str) -> None:
    logits, images = scene(3, (20, 17), 1)
    plain = DenseCRF("v1", trainable_parameters=True, **PLAIN)
    layer = DenseCRF("v1", trainable_parameters=True, dtype=dtype, **PLAIN)
    answer = np.array(keras.ops.cast(layer(logits, images), "float32"))
    np.testing.assert_allclose(answer, plain(logits, images), atol=0.02)
    assert {weight.dtype for weight in layer.weights} == {"float32"}


def test_learned_parameters_start_as_the_given_ones() -> None:
    layer = DenseCRF("v2", trainable_parameters=True)
    layer.build((1, 9, 9, 3), (1, 9, 9, 3))
    start = dataclasses.astuple(layer.learned_parameters())
    np.testing.assert_allclose(start, dataclasses.astuple(CRF_PRESETS["v2"]), rtol=1e-5)
    logits, images = scene(3, (20, 17), 1)
    fixed = DenseCRF("v2")(logits, images)
    np.testing.assert_allclose(layer(logits, images), fixed, atol=5e-3)


@pytest.mark.slow
def test_learning_from_bad_values_raises_the_score_on_other_photos(
    data_dir: pathlib.Path,
) -> None:
    train, held_out = small_pairs(data_dir)
    layer = DenseCRF(
        "v1",
        w_bilateral=12.0,
        theta_beta=80.0,
        accuracy="mobile",
        iterations=3,
        trainable_parameters=True,
    )
    model = keras.Model(
        inputs := [keras.Input((48, 48, 3)), keras.Input((48, 48, 3))], layer(*inputs)
    )
    before = mean_iou(model, held_out)
    model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy")
    model.fit(list(train[:2]), train[2], batch_size=1, epochs=4, verbose=0)
    assert mean_iou(model, held_out) > before + 0.05
    assert layer.learned_parameters().theta_beta < 80


Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def small_pairs(data_dir: pathlib.Path) -> tuple[Pairs, Pairs]:
    """Street scenes of three classes, and logits that are noisy masks."""
    from keras_deeplab.data import read_labels, read_photo

    rng = np.random.default_rng(0)
    found: list[Pairs] = []
    for part in ("train", "val"):
        logits, images, masks = [], [], []
        for path in sorted((data_dir / "camvid" / part / "images").iterdir())[::12][:8]:
            mask = read_labels(
                data_dir / "camvid" / part / "masks" / f"{path.stem}.png"
            )
            mask = np.minimum(mask, 2)[60:348:6, 60:348:6]
            logits.append(2 * np.eye(3)[mask] + rng.normal(0, 1, (*mask.shape, 3)))
            images.append(read_photo(path)[60:348:6, 60:348:6])
            masks.append(mask)
        found.append(
            (np.array(logits, "f"), np.array(images, "f"), np.array(masks, "int32"))
        )
    return found[0], found[1]


def mean_iou(model: keras.Model, pairs: Pairs) -> float:
    labels = model.predict(list(pairs[:2]), batch_size=1, verbose=0).argmax(-1)
    ious = [
        ((labels == c) & (pairs[2] == c)).sum()
        / ((labels == c) | (pairs[2] == c)).sum()
        for c in range(3)
    ]
    return float(np.mean(ious))
