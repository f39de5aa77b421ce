"""What the tests of this folder run, and where their tools are."""

import os
import pathlib
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

import keras_deeplab
from keras_deeplab.export import tflite, to_tflite
from keras_deeplab.inference import ImagePoolingWarning
from keras_deeplab.models import Segmenter
from tests.conftest import ROOT, lack

DEVICES = ROOT / ".devices"
ASSETS = ROOT / "keras_deeplab" / "assets"
PHOTO = ASSETS / "promenade.jpg"
# Of two lengths, so that sides which are mixed up do not fit. Another size can be given
# to fill the table of docs/devices.md.
_HEIGHT, _WIDTH = os.environ.get("KERAS_DEEPLAB_DEVICES_SIZE", "97 129").split()
SIZE = int(_HEIGHT), int(_WIDTH)

FORMS: dict[str, dict[str, Any]] = {
    "labels": {},
    "int8": {"quantize": "int8", "calibration": PHOTO},
    "delegate": {"outputs": "delegate"},
    "delegate_float16": {"outputs": "delegate", "quantize": "float16"},
}


@pytest.fixture(scope="session")
def street() -> Segmenter:
    """A model that is shipped, of 11 classes of streets."""
    return keras_deeplab.load_model(
        ASSETS / "deeplabv3plus_mobilenet_v2_035_camvid.keras"
    )


@pytest.fixture(scope="session")
def exported(
    street: Segmenter, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], pathlib.Path]:
    """Gives the file of one of `FORMS`, exported when first asked for."""
    folder = tmp_path_factory.mktemp("exported")

    def path_of(form: str) -> pathlib.Path:
        path = folder / f"{form}.tflite"
        if not path.exists():
            with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
                # Smaller than the training crop, to be quick.
                warnings.simplefilter("ignore", ImagePoolingWarning)
                patch.setattr(tflite, "_SECONDS", 0.01)
                to_tflite(street, path, size=SIZE, photos=PHOTO, **FORMS[form])
        return path

    return path_of


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """The photo at the files' size, uint8 RGB, `(1, *SIZE, 3)`."""
    with Image.open(PHOTO) as photo:
        return np.array(photo.convert("RGB").resize(SIZE[::-1]))[None]


@pytest.fixture(scope="session")
def keras_logits(street: Segmenter, pixels: np.ndarray) -> np.ndarray:
    """What the Keras model says about the photo."""
    return np.asarray(street.predict_on_batch(street.preprocess(pixels)))


def agreement(
    where: str, form: str, labels: np.ndarray, expected: np.ndarray, note: str = ""
) -> float:
    """The share of the labels that are as expected, and a row of docs/devices.md."""
    share = float((labels == expected).mean())
    size = " x ".join(map(str, SIZE))
    sys.stdout.write(f"| {where} | {form} | {size} | {100 * share:.4f} % | {note} |\n")
    return share


def program(name: str) -> str:
    """The path of a program."""
    return shutil.which(name) or lack_of(name)


def installed(*parts: str) -> pathlib.Path:
    """The path of what scripts/install_devices puts into .devices."""
    path = DEVICES.joinpath(*parts)
    return path if path.exists() else pathlib.Path(lack_of(str(path)))


def lack_of(what: str) -> str:
    """Skips, or fails where KERAS_DEEPLAB_REQUIRE_DEVICES is 1."""
    lack("DEVICES", f"{what} is missing: bash scripts/install_devices")


def run(*command: object, **environment: str) -> str:
    """What a program prints; it must succeed."""
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout
