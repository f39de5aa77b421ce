import io

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.demo import Demo, ModelChoice
from keras_deeplab.layers import DenseCRF
from tests.inference.color_model import NAMES, ColorModel


@pytest.fixture
def model() -> ColorModel:
    return ColorModel()


@pytest.fixture
def demo(model: ColorModel) -> Demo:
    """Two models of which one is loaded; what they are does not matter."""
    choices = [ModelChoice(name, name, "A test", NAMES) for name in ("colors", "other")]
    return Demo(choices, DenseCRF("v1", accuracy="mobile"), {"colors": model})


@pytest.fixture
def photo() -> np.ndarray:
    """Red and blue under noise, from which the CRF changes labels."""
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 140, (24, 40, 3))
    photo[:, :20, 0] += 90
    photo[:, 20:, 2] += 90
    return photo.astype("uint8")


@pytest.fixture
def png(photo: np.ndarray) -> bytes:
    return encoded(photo)


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()
