"""Training as an 8-bit file will compute."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_deeplab
from keras_deeplab.export import LiteModel, convert, tflite_job, to_tflite
from keras_deeplab.layers import ConvBlock
from keras_deeplab.models import DeepLabV3Plus
from keras_deeplab.training import (
    Distiller,
    QuantizationAware,
    SegmentationCrossEntropy,
    set_batch_norm,
    train,
)
from keras_deeplab.training.checkpoints import Checkpoints
from keras_deeplab.training.fake_quantize import (
    FakeQuantize,
    fake_quantize,
    fake_quantize_kernel,
)
from tests.training import tiny_run

RNG = np.random.default_rng(0)
few_images = pytest.mark.filterwarnings("ignore:The statistics of")


def as_bytes(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Through integers of -128 to 127, as TFLite's specification has it."""
    scale = (high - low) / 255
    zero = round(-128 - low / scale)
    stored = np.clip(np.rint(values / scale) + zero, -128, 127).astype("int8")
    return (stored.astype("float32") - zero) * np.float32(scale)


@pytest.mark.parametrize(("low", "high"), [(0, 6), (-1, 1.01), (-3.1, 0.2), (-2, 0)])
def test_feature_map_is_what_a_byte_holds(low: float, high: float) -> None:
    values = RNG.uniform(low - 1, high + 1, (4, 5, 6, 3)).astype("float32")
    found = np.asarray(fake_quantize(values, low, high))
    expected = as_bytes(values, low, high)
    # Values between two numbers may go to either.
    assert (np.abs(found - expected) < 1e-5).mean() > 0.99
    assert len(np.unique(found)) > 100
    assert 0.0 in np.asarray(fake_quantize(np.zeros(1, "float32"), low, high))
    theirs = tf.quantization.fake_quant_with_min_max_args(values, low, high)
    assert (np.abs(found - theirs) < 1e-5).mean() > 0.99


def test_kernel_has_a_scale_for_each_output_channel() -> None:
    kernel = RNG.normal(size=(3, 3, 4, 5)).astype("float32") * 10.0 ** np.arange(5)
    largest = np.abs(kernel).max(axis=(0, 1, 2))
    expected = np.rint(kernel / largest * 127) * largest / 127
    found = np.asarray(fake_quantize_kernel(kernel))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    theirs = tf.quantization.fake_quant_with_min_max_vars_per_channel(
        kernel, -largest, largest, narrow_range=True
    )
    np.testing.assert_allclose(found, theirs, rtol=1e-5)
    depthwise = np.moveaxis(kernel, 3, 2)[:, :, :, :1]
    found = np.asarray(fake_quantize_kernel(depthwise, depthwise=True))
    largest = np.abs(depthwise).max(axis=(0, 1, 3), keepdims=True)
    expected = np.rint(depthwise / largest * 127) * largest / 127
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert not np.asarray(fake_quantize_kernel(np.zeros((1, 1, 2, 3)))).any()


def test_gradient_goes_straight_through_and_stops_outside_of_the_range() -> None:
    values = tf.constant([-3.0, -0.9, 0.013, 0.5, 1.7])
    kernel = tf.constant(RNG.normal(size=(1, 1, 2, 3)).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch([values, kernel])
        total = tf.reduce_sum(fake_quantize(values, -1.0, 1.0) * [1.0, 2, 3, 4, 5])
        total += 7 * tf.reduce_sum(fake_quantize_kernel(kernel))
    of_values, of_kernel = tape.gradient(total, [values, kernel])
    np.testing.assert_array_equal(of_values, [0, 2, 3, 4, 0])
    np.testing.assert_array_equal(of_kernel, np.full((1, 1, 2, 3), 7))


def test_range_follows_the_batches_and_holds_zero() -> None:
    layer = FakeQuantize(momentum=0.75)
    values = np.array([0.3, 1.7], "float32")
    np.testing.assert_array_equal(layer(values), values)
    layer(np.array([1.0, 4.0]), training=True)
    assert (float(layer.low), float(layer.high)) == (0, 4)
    layer(np.array([-2.0, 0.0]), training=True)
    assert (float(layer.low), float(layer.high)) == (-0.5, 3)
    layer(np.array([-9.0, 9.0]), training=False)
    assert (float(layer.low), float(layer.high)) == (-0.5, 3)
    np.testing.assert_allclose(layer(values), as_bytes(values, -0.5, 3), rtol=1e-5)
    assert layer(values.astype("float16")).dtype == "float16"
    with pytest.raises(ValueError, match="`momentum` must lie in"):
        FakeQuantize(momentum=2)


def test_block_computes_with_what_its_file_holds() -> None:
    inputs = keras.Input((6, 5, 4))
    block = ConvBlock(7, 3, separable=True, activation="relu6")
    model = keras.Model(inputs, block(inputs))
    model.set_weights([RNG.uniform(0.5, 2, w.shape) for w in model.get_weights()])
    x = RNG.uniform(-1, 1, (2, 6, 5, 4)).astype("float32")
    depthwise, norm, pointwise, last_norm, relu = block.steps
    norm.trainable = last_norm.trainable = False
    aware = QuantizationAware(model, momentum=0.0)
    assert len(aware.ranges) == 2
    # Each range is that of what the one before it has rounded.
    for _ in range(4):
        aware(x, training=True)
    found = np.asarray(aware(x, training=False))

    def stored(values: np.ndarray) -> np.ndarray:
        return as_bytes(values, min(values.min(), 0), max(values.max(), 0))

    # The norm inside of the kernel, as the converter has it.
    gain = np.asarray(norm.gamma) / np.sqrt(np.asarray(norm.moving_variance) + 1e-5)
    kernel = np.asarray(depthwise.kernel) * gain[:, None]
    scale = np.abs(kernel).max(axis=(0, 1, 3), keepdims=True) / 127
    kernel = np.rint(kernel / scale) * scale
    offset = np.asarray(norm.beta) - np.asarray(norm.moving_mean) * gain
    y = tf.nn.depthwise_conv2d(stored(x), kernel, [1] * 4, "SAME") + offset
    y = stored(y.numpy())
    kernel = np.asarray(pointwise.kernel)
    scale = np.abs(kernel).max(axis=(0, 1, 2)) / 127
    y = tf.nn.conv2d(y, np.rint(kernel / scale) * scale, 1, "SAME")
    expected = stored(np.asarray(relu(last_norm(y))))
    # A value between two numbers may go to either.
    assert np.abs(found - expected).max() < 1.01 * expected.max() / 255
    assert (np.abs(found - expected) < 1e-4).mean() > 0.95
    plain = np.asarray(model(x))
    assert np.abs(found - plain).mean() > 3 * np.abs(found - expected).mean()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tiny_run.write_data(tmp_path_factory.mktemp("data"))


class StopIn(keras.callbacks.Callback):
    """Ends a training in the middle of an epoch."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        if epoch == self.epoch:
            raise RuntimeError("stopped")


def tiny_model(**kwargs: object) -> DeepLabV3Plus:
    arguments = {**tiny_run.recipe().arguments, "dropout": 0.0, **kwargs}
    return DeepLabV3Plus(**arguments, classes=3, crop_size=33)


@pytest.mark.slow
def test_file_computes_as_the_model_did_while_training(
    data_dir: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What makes a file better than what was trained for: channels of like ranges, and
    # convolutions left in float.
    monkeypatch.setattr(tflite_job, "equalized", lambda model, images: model)
    monkeypatch.setattr(convert, "noisy_nodes", lambda calibrated: [])
    model = keras_deeplab.load_model("deeplabv3plus_mobilenet_v2_035_camvid")
    set_batch_norm(model, "frozen")
    pixels = []
    for path in sorted((data_dir / "camvid" / "train" / "images").iterdir())[::200]:
        with Image.open(path) as photo:
            large = photo.resize((481, 361))
        large.save(tmp_path / f"{path.stem}.png")
        pixels.append(np.array(large))
    inputs = np.asarray(model.preprocess(np.stack(pixels)))
    aware = QuantizationAware(model)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    aware(inputs, training=True)
    options = {"size": (361, 481), "outputs": "logits", "calibration": tmp_path}
    path = tmp_path / "m.tflite"
    to_tflite(model, path, quantize="int8", least_agreement=0.9, **options)
    lite = LiteModel(path)
    file = np.concatenate([lite.run(image[None]) for image in pixels])
    rounded = np.asarray(aware(inputs, training=False))
    plain = np.asarray(model(inputs, training=False))
    assert (file.argmax(-1) == rounded.argmax(-1)).mean() > 0.99
    assert np.abs(file - rounded).mean() < 0.75 * np.abs(file - plain).mean()


@pytest.mark.slow
@few_images
def test_training_that_was_stopped_goes_on_to_the_same_weights_and_ranges(
    data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    recipe = tiny_run.recipe(quantize="int8", epochs=2, evaluate_every=2)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    train(recipe, data, whole, verbose=0)
    with pytest.raises(RuntimeError, match="stopped"):
        train(recipe, data, stopped, verbose=0, callbacks=[StopIn(1)])
    train(recipe, data, stopped, resume=True, verbose=0)
    states = [Checkpoints(o / "checkpoints").newest().arrays for o in (whole, stopped)]
    for found, wanted in zip(*states, strict=True):
        np.testing.assert_array_equal(found, wanted)
    plain = len(tiny_model().weights)
    assert len(states[0]) > 3 * plain
    assert keras_deeplab.load_model(whole / "best.keras").classes == 3


def test_model_is_saved_and_loaded_with_its_ranges(tmp_path: pathlib.Path) -> None:
    aware = QuantizationAware(tiny_model())
    image = RNG.uniform(-1, 1, (1, 33, 33, 3)).astype("float32")
    aware(image, training=True)
    assert aware.output_shape == (None, None, None, 3)
    answer = np.asarray(aware(image, training=False))
    aware.save(tmp_path / "aware.keras")
    again = keras.models.load_model(tmp_path / "aware.keras")
    np.testing.assert_array_equal(again(image, training=False), answer)


def test_student_of_a_teacher_can_be_aware() -> None:
    student = tiny_model()
    distiller = Distiller(QuantizationAware(student), tiny_model())
    image = RNG.uniform(-1, 1, (1, 33, 33, 3)).astype("float32")
    before = student.get_weights()
    distiller.compile("sgd", SegmentationCrossEntropy())
    distiller.fit(image, np.zeros((1, 33, 33), "uint8"), verbose=0)
    after = student.get_weights()
    assert any((a != b).any() for a, b in zip(before, after, strict=True))
    assert float(distiller.student.image_range.high) > 0
