"""The page of examples/browser in headless Chromium, against LiteRT in Python."""

import base64
import json
import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import read_photo
from keras_deeplab.export import LiteModel
from keras_deeplab.inference.framing import frame_for, lay_out
from keras_deeplab.models import Segmenter
from tests.conftest import ROOT
from tests.devices.conftest import PHOTO, agreement, installed, program, run

DRIVER = pathlib.Path(__file__).with_name("browse.mjs")
# Form of the file, engine of the page, share of the labels that must agree.
RUNS = (
    ("labels", "wasm", 1.0),
    ("int8", "wasm", 0.9999),
    ("delegate", "wasm", 1.0),
    ("delegate", "webgpu", 0.999),
    ("delegate", "mediapipe", 0.999),
)

pytestmark = pytest.mark.slow


def labels_in_python(path: pathlib.Path) -> np.ndarray:
    """The labels of the photo at the size at which the file sees it."""
    model, photo = LiteModel(path), read_photo(PHOTO)
    frame = frame_for(model, photo.shape[:2])
    inputs = model.preprocess(lay_out(photo, frame, model.pad_pixel))
    height, width = frame.content
    return model.predict_on_batch(inputs)[0, :height, :width].argmax(axis=-1)


def test_page_gives_the_labels_that_litert_gives_in_python(
    street: Segmenter, exported: Callable[[str], pathlib.Path], tmp_path: pathlib.Path
) -> None:
    chromium, node = program("chromium"), program("node")
    site = tmp_path / "site"
    site.mkdir()
    for page in (ROOT / "examples" / "browser").iterdir():
        if page.name != "node_modules":
            (site / page.name).symlink_to(page)
    (site / "node_modules").symlink_to(installed("browser", "node_modules"))
    # A photo of which decoders make the same pixels, and the alternatives to them.
    photo = tmp_path / "photo.png"
    Image.fromarray(read_photo(PHOTO)).save(photo)
    pairs = [f"{exported(form)}:{engine}" for form, engine, _ in RUNS]
    pairs.append(f"{exported('labels')}:webgpu")
    shot = tmp_path / "page.png"
    packages = installed("tools", "node_modules") / "index.js"
    said = run(
        node, DRIVER, chromium, site, shot, photo, *pairs, NODE_PACKAGES=str(packages)
    )
    answers = json.loads(said)
    for pair, (form, engine, share) in zip(pairs, RUNS, strict=False):
        answer = answers[pair]
        assert " ms for " in answer["status"], (engine, answer["status"])
        labels = np.frombuffer(base64.b64decode(answer["labels"]), "uint8")
        labels = labels.reshape(answer["height"], answer["width"])
        expected = labels_in_python(exported(form))
        note = f"LiteRT here; {answer['status'].partition(' for')[0]}"
        assert agreement(f"Chromium, {engine}", form, labels, expected, note) >= share
        largest = street.class_names[np.bincount(expected.ravel()).argmax()]
        assert answer["legend"].startswith(largest)
    assert (
        "The GPU takes a file of `--outputs delegate`" in answers[pairs[-1]]["status"]
    )
    check_screenshot(shot)


def check_screenshot(path: pathlib.Path) -> None:
    """The picture is there, in the colours of sky and of the rest."""
    with Image.open(path) as shot:
        pixels = np.asarray(shot.convert("RGB")).reshape(-1, 3)
    assert len(np.unique(pixels, axis=0)) > 500
