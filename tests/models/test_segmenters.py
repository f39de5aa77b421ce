"""What every model on every backbone has to do, checked once for all of them."""

import pathlib
from typing import Any

import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.models import Segmenter
from keras_deeplab.models.complexity import MODELS

_PAIRS = [(cls, backbone) for cls in MODELS for backbone in cls.backbones]

# Small versions: fewer layers of the kind that repeats, narrow heads. Same graph.
_SMALL_BACKBONE: dict[str, dict[str, Any]] = {
    "vgg16": {"stage_filters": (8, 8, 16, 16, 16)},
    **{
        name: {"blocks": (2, 2, 2, 3), "stage_filters": (8, 8, 16, 16)}
        for name in ("resnet50", "resnet101", "resnet50_beta", "resnet101_beta")
    },
    **{name: {"middle_units": 1} for name in ("xception41", "xception65")},
    "xception71": {"middle_units": 0},
    "mobilenet_v2": {"alpha": 0.35},
    "mobilenet_v3_small": {},
    "mobilenet_v3_large": {"alpha": 0.5},
}
_SMALL_HEAD: dict[str, dict[str, Any]] = {
    "DeepLabV1": {"filters": 8, "dropout": 0.0},
    "DeepLabV2": {"dropout": 0.0},
    "DeepLabV3": {"filters": 8, "dropout": 0.0},
    "DeepLabV3Plus": {"filters": 8, "decoder_filters": 8, "dropout": 0.0},
    "LRASPP": {"filters": 8},
}


def small_model(cls: type[Segmenter], backbone: str, /, **arguments: Any) -> Segmenter:
    options = {**_SMALL_HEAD[cls.__name__], **_SMALL_BACKBONE[backbone], **arguments}
    return cls(backbone, **{"classes": 3, **options})


def _images(*size: int, batch: int = 1) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (batch, *size, 3)).astype("float32")


@pytest.mark.parametrize(("cls", "backbone"), _PAIRS)
def test_model_of_unknown_size_answers_at_the_input_size(
    cls: type[Segmenter], backbone: str
) -> None:
    model = small_model(cls, backbone)
    assert model.output_shape == (None, None, None, 3)
    for height, width in ((65, 65), (33, 81), (50, 37)):
        logits = np.asarray(model(_images(height, width)))
        assert logits.shape == (1, height, width, 3)
        assert logits.dtype == np.float32
        assert np.isfinite(logits).all()
    if keras.backend.backend() == "tensorflow":
        _check_graph_of_unknown_size(model)


@pytest.mark.parametrize(("cls", "backbone"), _PAIRS)
def test_training_step_lowers_the_loss(cls: type[Segmenter], backbone: str) -> None:
    model = small_model(cls, backbone, input_shape=(33, 33, 3))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # A step short enough for every net. One call a step: no gain from a compiled graph.
    optimizer = keras.optimizers.SGD(1e-4, global_clipnorm=1.0)
    model.compile(optimizer, loss, run_eagerly=True)
    labels = np.random.default_rng(0).integers(0, 3, (2, 33, 33))
    # At the scale its preprocessing gives: VGG without batch norms is slow below it.
    pixels = np.random.default_rng(1).integers(0, 256, (2, 33, 33, 3))
    images = model.preprocess(pixels)
    before = model.train_on_batch(images, labels)
    after = model.train_on_batch(images, labels)
    assert after < before


@pytest.mark.parametrize(("cls", "backbone"), _PAIRS)
def test_keras_file_of_model_gives_equal_answers(
    cls: type[Segmenter], backbone: str, tmp_path: pathlib.Path
) -> None:
    model = small_model(cls, backbone, class_names=["sky", "road", "car"], crop_size=65)
    _disturb(model)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras_deeplab.load_model(path)
    assert type(loaded) is cls
    assert loaded.get_config() == model.get_config()
    assert loaded.class_names == ("sky", "road", "car")
    image = _images(65, 49)
    np.testing.assert_array_equal(loaded(image), model(image))


@pytest.mark.parametrize(("cls", "backbone"), _PAIRS)
def test_weights_of_stride_16_load_at_8_unchanged(
    cls: type[Segmenter], backbone: str, tmp_path: pathlib.Path
) -> None:
    model = small_model(cls, backbone, output_stride=16)
    _disturb(model)
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    finer = small_model(cls, backbone, output_stride=8, weights=str(path))
    for ours, theirs in zip(finer.weights, model.weights, strict=True):
        assert ours.path == theirs.path
        np.testing.assert_array_equal(ours, theirs)
    image = _images(65, 65)
    derived = model.with_output_stride(8)
    assert derived.output_stride == 8
    np.testing.assert_array_equal(derived(image), finer(image))


def test_model_with_other_arguments_has_the_same_weights() -> None:
    model = small_model(keras_deeplab.DeepLabV3, "mobilenet_v2", crop_size=65)
    _disturb(model)
    model.get_layer("conv").trainable = False
    fixed = model.with_arguments(input_shape=(33, 49, 3), crop_size=None)
    assert fixed.input_shape == (None, 33, 49, 3)
    assert (fixed.crop_size, model.crop_size) == (None, (65, 65))
    assert not fixed.get_layer("conv").trainable
    for ours, theirs in zip(fixed.weights, model.weights, strict=True):
        assert ours is not theirs
        np.testing.assert_array_equal(ours, theirs)
    copy = model.with_arguments()
    assert copy.get_config() == model.get_config()
    np.testing.assert_array_equal(copy(_images(33, 49)), model(_images(33, 49)))
    with pytest.raises(ValueError, match="shape"):
        model.with_arguments(classes=7)
    with pytest.raises(TypeError, match="width"):
        model.with_arguments(width=7)


def test_model_in_another_precision_has_the_same_weights_and_nearly_the_answer() -> (
    None
):
    model = small_model(keras_deeplab.DeepLabV3Plus, "mobilenet_v2")
    _disturb(model)
    half = model.with_dtype("mixed_bfloat16")
    assert half.get_layer("aspp").compute_dtype == "bfloat16"
    for ours, theirs in zip(half.weights, model.weights, strict=True):
        assert ours.dtype == "float32"
        np.testing.assert_array_equal(ours, theirs)
    exact, rounded = (each(_images(65, 65)) for each in (model, half))
    assert not np.array_equal(rounded, exact)
    scale = np.abs(exact).max()
    np.testing.assert_allclose(rounded, exact, atol=0.1 * scale)
    again = half.with_dtype("float32")(_images(65, 65))
    np.testing.assert_array_equal(again, exact)


@pytest.mark.parametrize("cls", MODELS)
@pytest.mark.parametrize("classes", [3, 5])
def test_model_with_other_classes_keeps_all_but_the_classifier(
    cls: type[Segmenter], classes: int
) -> None:
    model = small_model(cls, cls.backbones[-1])
    _disturb(model)
    other = model.with_classes(classes)
    assert other.output_shape[-1] == classes
    anew = set()
    for ours, theirs in zip(other.weights, model.weights, strict=True):
        if ours.shape != theirs.shape or not np.array_equal(ours, theirs):
            anew.add(ours.path.split("/")[-2])
    expected = {
        "DeepLabV2": {"fc8_1", "fc8_2", "fc8_3", "fc8_4"},
        "LRASPP": {"logits", "low_level_logits"},
    }
    assert anew == expected.get(cls.__name__, {"logits"})


@pytest.mark.parametrize(("cls", "backbone"), _PAIRS)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_keeps_float32_logits(
    cls: type[Segmenter], backbone: str, policy: str, tmp_path: pathlib.Path
) -> None:
    model = small_model(cls, backbone, dtype=policy, classifier_activation="softmax")
    assert keras.config.dtype_policy().name == "float32"
    assert all(weight.dtype == "float32" for weight in model.weights)
    answer = np.asarray(model(_images(33, 33)))
    assert answer.dtype == np.float32
    # Half precision would miss one by more than this.
    np.testing.assert_allclose(answer.sum(-1), 1, atol=1e-6)
    inner = model.get_layer("network") if cls.__name__ == "DeepLabV2" else model
    assert inner.layers[1].compute_dtype == policy.removeprefix("mixed_")
    assert cls.from_config(model.get_config()).get_config() == model.get_config()


@pytest.mark.slow
def test_sentence_of_the_readme_trains_xception() -> None:
    model = keras_deeplab.DeepLabV3(backbone="xception")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(1e-3), loss=loss)
    labels = np.random.default_rng(0).integers(0, 21, (2, 33, 33))
    history = model.fit(_images(33, 33, batch=2), labels, epochs=2, verbose=0)
    first, second = history.history["loss"]
    assert second < first


def _check_graph_of_unknown_size(model: keras.Model) -> None:
    import tensorflow as tf

    graph = tf.function(
        lambda x: model(x, training=False),
        input_signature=[tf.TensorSpec((None, None, None, 3))],
        autograph=False,
    )
    for size in ((49, 65), (50, 37)):
        expected = np.asarray(model(_images(*size)))
        scale = np.abs(expected).max()
        np.testing.assert_allclose(
            graph(_images(*size)) / scale, expected / scale, atol=1e-5
        )


def _disturb(model: keras.Model) -> None:
    """Moves every weight off its start, so that one left behind would show."""
    rng = np.random.default_rng(2)
    model.set_weights(
        [w + rng.uniform(0, 0.02, w.shape).astype(w.dtype) for w in model.get_weights()]
    )
