"""Official models give official answers."""

import pathlib

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import keras_deeplab
from keras_deeplab import DeepLabV3
from tests.weights import npz_files, tflite_files


@pytest.fixture(scope="module")
def small(official: pathlib.Path) -> DeepLabV3:
    """The width-0.5 model, of 257 x 257 pixels."""
    return keras_deeplab.load_model(official / tflite_files.OFFICIAL)


@pytest.fixture(scope="module")
def interpreter(official_tflite: bytes) -> Interpreter:
    interpreter = Interpreter(model_content=official_tflite)
    interpreter.allocate_tensors()
    return interpreter


def official_logits(interpreter: Interpreter, pixels: np.ndarray) -> np.ndarray:
    """What LiteRT says of RGB pixels, `(257, 257, 3)`."""
    inputs = pixels[None].astype("float32") / 127.5 - 1
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]


@pytest.fixture(scope="module")
def photos(data_dir: pathlib.Path) -> dict[str, np.ndarray]:
    """All the real photos, at the size of the small model."""
    paths = [
        path
        for folder in (data_dir / "voc_sample" / "images", data_dir / "photos")
        for path in sorted(folder.iterdir())
        if path.suffix in (".jpg", ".png")
    ]
    assert len(paths) == 32
    return {
        path.stem: np.asarray(Image.open(path).convert("RGB").resize((257, 257)))
        for path in paths
    }


def test_logits_of_the_large_model_are_the_golden_ones(
    official: pathlib.Path, data_dir: pathlib.Path
) -> None:
    model = keras_deeplab.load_model(official / npz_files.OFFICIAL)
    before_upsampling = keras.Model(model.input, model.get_layer("logits").output)
    golden = official / "golden" / "deeplabv3_mnv2_pascal_trainval_logits.npz"
    with np.load(golden) as expected:
        assert len(expected.files) == 3
        for name in expected.files:
            photo = Image.open(data_dir / "voc_sample" / "images" / f"{name}.jpg")
            pixels = np.asarray(photo.convert("RGB"))
            # The pixel that preprocessing turns into 0.
            padded = np.full((1, 513, 513, 3), model.pad_pixel, "float32")
            padded[0, : pixels.shape[0], : pixels.shape[1]] = pixels
            logits = before_upsampling(model.preprocess(padded))
            # Measured: 1.3e-4 of logits up to 32.
            np.testing.assert_allclose(logits[0], expected[name], atol=1e-3, rtol=0)


def test_answers_of_the_small_model_on_all_photos_are_those_of_litert(
    small: DeepLabV3, interpreter: Interpreter, photos: dict[str, np.ndarray]
) -> None:
    for name, pixels in photos.items():
        expected = official_logits(interpreter, pixels)
        logits = np.asarray(small(small.preprocess(pixels[None])))[0]
        # Measured: 1.3e-4 of logits up to 47, and 2 pixels of 2.1 million.
        np.testing.assert_allclose(logits, expected, atol=1e-3, rtol=0, err_msg=name)
        equal = logits.argmax(axis=-1) == expected.argmax(axis=-1)
        assert equal.mean() >= 0.9999, name


def test_labels_of_the_small_model_by_segment_are_those_of_litert(
    small: DeepLabV3,
    interpreter: Interpreter,
    photos: dict[str, np.ndarray],
    tmp_path: pathlib.Path,
) -> None:
    for name in ("cat_720p", "parrot"):
        pixels = photos[name]
        path = tmp_path / f"{name}.png"
        Image.fromarray(pixels).save(path)
        expected = official_logits(interpreter, pixels).argmax(axis=-1)
        labels = keras_deeplab.segment(small, path)
        assert labels.shape == (257, 257)
        assert len(np.unique(labels)) > 1
        assert (labels == expected).mean() >= 0.9999


def test_labels_of_the_small_model_on_its_golden_photo_are_the_golden_ones(
    small: DeepLabV3, official: pathlib.Path
) -> None:
    golden = official / "golden"
    labels = keras_deeplab.segment(small, golden / "deeplabv3_257_input.jpg")
    expected = np.asarray(Image.open(golden / "deeplabv3_257_expected.png"))
    np.testing.assert_array_equal(10 * labels, expected)


def test_settings_of_the_official_models_are_their_authors(
    small: DeepLabV3, official: pathlib.Path
) -> None:
    large = keras_deeplab.load_model(official / npz_files.OFFICIAL)
    assert small.input_shape == (None, 257, 257, 3)
    assert (small.crop_size, small.resize_mode) == ((257, 257), "stretch")
    assert large.input_shape == (None, None, None, 3)
    assert (large.crop_size, large.resize_mode) == ((513, 513), "pad")
    for model in (small, large):
        assert (model.output_stride, model.classes) == (8, 21)
        assert model.preprocessing == "symmetric"
        assert model.class_names[15] == "person"


def test_file_with_labels_gives_the_same_model_with_its_own_class_names(
    small: DeepLabV3, official: pathlib.Path
) -> None:
    model = keras_deeplab.load_model(official / tflite_files.OFFICIAL_WITH_LABELS)
    assert model.class_names[11] == "dining table"
    assert small.class_names[11] == "diningtable"
    assert {**model.get_config(), "class_names": small.class_names} == (
        small.get_config()
    )
    for mine, other in zip(small.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_official_model_saved_by_keras_comes_back_equal(
    small: DeepLabV3, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "model.keras"
    small.save(path)
    model = keras_deeplab.load_model(path)
    assert type(model) is DeepLabV3
    assert model.class_names == small.class_names
    assert model.crop_size == small.crop_size
    assert model.resize_mode == small.resize_mode
    assert model.get_config() == small.get_config()
    pixels = np.random.default_rng(0).integers(0, 256, (257, 257, 3), "uint8")
    inputs = small.preprocess(pixels[None])
    np.testing.assert_array_equal(model(inputs), small(inputs))
