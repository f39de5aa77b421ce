import dataclasses
import pathlib
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_deeplab.export import tflite, to_saved_model
from keras_deeplab.layers import BatchNormalization
from keras_deeplab.models import DeepLabV3
from tests.export.image_files import MOST_PIXELS


def make_model(**kwargs: object) -> DeepLabV3:
    """A tiny model, of random weights, whose classes all occur."""
    keras.utils.set_random_seed(0)
    settings = {"backbone": "mobilenet_v2", "alpha": 0.35, "classes": 5, "filters": 16}
    settings |= {"image_pooling": False, "atrous_rates": (2,)}
    model = DeepLabV3(**{**settings, "input_shape": (None, None, 3), **kwargs})
    random = np.random.default_rng(0)
    size = tuple(side or 65 for side in model.input_shape[1:3])
    images = model.preprocess(random.integers(0, 256, (4, *size, 3)))
    # Batch norms with the statistics of images: else all logits would be alike.
    for layer in model._flatten_layers():
        if isinstance(layer, BatchNormalization):
            layer.momentum = 0.0
    model(images, training=True)
    classifier = model.get_layer("logits")
    classifier.kernel.assign(random.normal(size=classifier.kernel.shape))
    features = keras.Model(model.inputs, classifier.output)(images)
    classifier.bias.assign(-np.mean(features, axis=(0, 1, 2)))
    return model


@pytest.fixture(scope="session")
def model() -> DeepLabV3:
    return make_model(crop_size=(65, 49), class_names=("sky", "road", "car", "a", "b"))


@pytest.fixture(autouse=True)
def short_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time for the latency of tiny models."""
    monkeypatch.setattr(tflite, "_SECONDS", 0.01)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Three photos: smooth colours with edges."""
    folder = tmp_path_factory.mktemp("photos")
    for index in range(3):
        random = np.random.default_rng(index)
        small = random.integers(0, 256, (6, 5, 3), "uint8")
        Image.fromarray(small).resize((49 - 9 * index, 65)).save(
            folder / f"{index}.png"
        )
    return folder


@dataclasses.dataclass(frozen=True)
class Served:
    """A model and what was exported of it."""

    model: DeepLabV3
    saved: Any
    folder: pathlib.Path

    @property
    def name(self) -> str:
        return self.folder.parent.name


@pytest.fixture(scope="session")
def served(
    model: DeepLabV3, tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path
) -> Served:
    path = tmp_path_factory.mktemp("served") / "street"
    report = to_saved_model(model, path, photos=photos, most_pixels=MOST_PIXELS)
    assert report.path == path / "1"
    assert report.parity.agreement > 0.999
    saved = tf.saved_model.load(str(report.path))
    return Served(model, saved, report.path)
