"""`keras-deeplab demo` as it is started, and its page in headless Chromium.

With KERAS_DEEPLAB_DEMO_PICTURE=docs/demo.jpg the page is drawn into that file.
"""

import base64
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

import keras_deeplab
from keras_deeplab.data import read_photo
from keras_deeplab.inference import segment
from keras_deeplab.models import Segmenter
from tests.conftest import ROOT
from tests.devices.conftest import ASSETS, PHOTO, installed, program, run

DRIVER = pathlib.Path(__file__).with_name("browse_demo.mjs")
NAME = "deeplabv3plus_mobilenet_v2_035_camvid"

pytestmark = pytest.mark.slow


@pytest.fixture
def started() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a user runs it, and where its page is."""
    words = ["demo", "--weights", NAME, "--port", "0", "--no-browser"]
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_deeplab_cli", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    assert said.startswith("The page is at http://127.0.0.1:"), process.communicate()
    yield process, said.split()[4]
    process.kill()
    process.communicate()


def labels_of(step: dict[str, str]) -> np.ndarray:
    file = base64.b64decode(step["labels"].partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(file)))


def test_page_shows_what_segment_finds_and_asks_no_one_else(
    started: tuple[subprocess.Popen[str], str],
    tmp_path: pathlib.Path,
) -> None:
    process, url = started
    chromium, node = program("chromium"), program("node")
    small, broken = tmp_path / "small.png", tmp_path / "broken.jpg"
    Image.fromarray(read_photo(PHOTO)).resize((200, 150)).save(small)
    broken.write_bytes(PHOTO.read_bytes()[:9000])
    light = os.environ.get("KERAS_DEEPLAB_DEMO_PICTURE", tmp_path / "light.jpg")
    shots = [pathlib.Path(light), tmp_path / "dark.jpg"]
    packages = installed("tools", "node_modules") / "index.js"
    said = run(
        *(node, DRIVER, chromium, url, small, broken, *shots),
        NODE_PACKAGES=str(packages),
    )
    steps = json.loads(said)
    assert steps["failures"] == []
    assert steps["nameless"] == []
    assert steps["origins"] == [url.rstrip("/")]
    check_answers(steps, keras_deeplab.load_model(NAME), small)
    check_shots(shots)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out, error) == (130, "Ended.\n", "")


def check_answers(steps: dict, model: Segmenter, small: pathlib.Path) -> None:
    for step, photo in (
        ("opened", PHOTO),
        ("again", PHOTO),
        ("off", PHOTO),
        ("chosen", small),
        ("example", ASSETS / "cat.jpg"),
        ("dropped", small),
        ("pasted", small),
    ):
        expected = segment(model, photo)
        same = (labels_of(steps[step]) == expected).mean()
        # Another process may add up in another order.
        assert same > 0.9999, step
        largest = model.class_names[np.bincount(expected.ravel()).argmax()]
        assert steps[step]["classes"][0].startswith(f"{largest}\n")
        assert steps[step]["overlay"].startswith(f"Classes in colour: {largest} ")
        assert steps[step]["error"] == ""
    assert steps["opened"]["file"] == "promenade.labels.png"
    for step, note in (
        ("opened", "first photo of this size"),
        ("again", " "),
        ("crf", "not run again"),
        ("stronger", "not run again"),
        ("off", "not run again"),
        # As it is the photo that was dropped.
        ("pasted", "not run again"),
    ):
        assert steps[step]["network"].endswith(note), step
    assert " ms" in steps["crf"]["crf"] or " s" in steps["crf"]["crf"]
    moved = [
        (labels_of(steps["opened"]) != labels_of(steps[step])).mean()
        for step in ("crf", "stronger")
    ]
    assert 0.005 < moved[0] < moved[1]
    assert steps["opacity"] == "0"
    assert "cannot be decoded" in steps["broken"]["error"]
    # What is shown stays.
    assert steps["broken"]["labels"] == steps["chosen"]["labels"]
    assert steps["camera"]["status"].startswith("camera.png: 640 ")


def check_shots(shots: list[pathlib.Path]) -> None:
    """Both pictures are full of colours, on a light page and on a dark one."""
    corners = []
    for shot in shots:
        with Image.open(shot) as page:
            pixels = np.asarray(page.convert("RGB"))
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 500
        corners.append(pixels[:5, :5].mean())
        assert shot.stat().st_size < 300_000
    assert corners[0] > 200
    assert corners[1] < 60
