import pathlib
import warnings

import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.training import set_batch_norm


def model() -> keras_deeplab.DeepLabV3:
    made = keras_deeplab.DeepLabV3(
        "resnet50",
        blocks=(1, 1, 1, 3),
        stage_filters=(4, 4, 4, 4),
        filters=4,
        classes=3,
        atrous_rates=(),
        input_shape=(33, 33, 3),
        output_stride=8,
        dropout=0.0,
    )
    rng = np.random.default_rng(0)
    for weight in made.weights:
        if weight.path.endswith(("moving_mean", "moving_variance", "gamma", "beta")):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return made


IMAGES = np.random.default_rng(1).normal(size=(2, 33, 33, 3)).astype("float32")


def statistics(made: keras.Model) -> list[np.ndarray]:
    return [np.array(w) for w in made.weights if "/moving_" in w.path]


def batch_norms(made: keras.Model) -> list[keras.layers.BatchNormalization]:
    kind = keras.layers.BatchNormalization
    return [layer for layer in made._flatten_layers() if isinstance(layer, kind)]


def test_frozen_batch_norms_work_and_stay_as_at_inference() -> None:
    made = model()
    set_batch_norm(made, "frozen")
    before = made.get_weights()
    np.testing.assert_allclose(
        made(IMAGES, training=True), made(IMAGES, training=False), atol=1e-5
    )
    made.compile(keras.optimizers.SGD(0.1), keras.losses.MeanSquaredError())
    made.fit(IMAGES, np.ones((2, 33, 33, 3)), verbose=0)
    for weight, old in zip(made.weights, before, strict=True):
        changed = not np.array_equal(weight, old)
        assert changed == ("batch_norm" not in weight.path), weight.path


@pytest.mark.parametrize("mode", ["ordinary", "synchronized"])
def test_trained_batch_norms_take_the_statistics_of_the_batch(mode: str) -> None:
    made = model()
    expected = np.array(made(IMAGES, training=False))
    set_batch_norm(made, "frozen")
    set_batch_norm(made, mode)
    np.testing.assert_array_equal(made(IMAGES, training=False), expected)
    assert len(made.trainable_variables) == len(model().trainable_variables)
    assert {layer.synchronized for layer in batch_norms(made)} == {
        mode == "synchronized"
    }
    old = statistics(made)
    trained = np.array(made(IMAGES, training=True))
    assert np.abs(trained - expected).max() > 1e-3
    for new, before in zip(statistics(made), old, strict=True):
        assert not np.array_equal(new, before)


@pytest.mark.parametrize("mode", ["frozen", "ordinary", "synchronized"])
def test_mode_and_answers_survive_a_saved_file(
    mode: str, tmp_path: pathlib.Path
) -> None:
    made = model()
    set_batch_norm(made, mode)
    made.save(tmp_path / "model.keras")
    revived = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(revived(IMAGES), made(IMAGES))
    for layer, source in zip(batch_norms(revived), batch_norms(made), strict=True):
        assert layer.trainable == (mode != "frozen")
        assert layer.synchronized == source.synchronized == (mode == "synchronized")
    # Which has one layer more in between.
    other = made.with_output_stride(16)
    for layer in batch_norms(other):
        assert layer.trainable == (mode != "frozen")
        assert layer.synchronized == (mode == "synchronized")


def test_few_images_are_warned_of_unless_frozen() -> None:
    made = model()
    for mode in ("ordinary", "synchronized"):
        with pytest.warns(UserWarning, match="statistics of 11 images"):
            set_batch_norm(made, mode, batch_size=11)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        set_batch_norm(made, "frozen", batch_size=1)
        set_batch_norm(made, "ordinary", batch_size=12)


@pytest.mark.parametrize(
    ("kwargs", "mention"),
    [
        ({"mode": "sync"}, "`mode` must be one of 'frozen'"),
        ({"mode": "ordinary", "batch_size": 0}, "`batch_size`.*batch_size=0"),
    ],
)
def test_arguments_out_of_range_are_refused_and_nothing_changes(
    kwargs: dict[str, object], mention: str
) -> None:
    made = model()
    set_batch_norm(made, "frozen")
    with pytest.raises(ValueError, match=mention):
        set_batch_norm(made, **kwargs)
    assert not any(layer.trainable for layer in batch_norms(made))
