"""Every page does what it says: its Python and its commands run, in order.

Both run on tiny data, which stand in an empty folder under the names that the pages
use. Numbers are made small, and words added that make commands so; what is not run at
all is listed in CONTRIBUTING.md.
"""

import dataclasses
import json
import os
import pathlib
import re
import shutil
from collections.abc import Mapping

import keras
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import keras_deeplab
from keras_deeplab.data import write_labels
from keras_deeplab.export import tflite
from keras_deeplab.inference import write_crf
from keras_deeplab.layers import CRF_PRESETS
from keras_deeplab_cli import app
from tests.docs import not_run
from tests.docs.pages import PAGES, ROOT, Step, steps
from tests.export.conftest import make_model
from tests.training import tiny_run

STREETS = "deeplabv3plus_mobilenet_v2_035_camvid"
# What stands for a reader's own names.
NAMES = {
    r"\bSOURCE\b": "model.keras",
    r"\bPHOTO\b(\.\.\.)?": "photo.jpg",
    r"\bLARGE_PHOTO\b": "photo.jpg",
    r"\bFOLDER\b": "PHOTOS",
    r"\bNAME\b(\.\.\.)?": STREETS,
    r"--images DIR": "--images PHOTOS",
    r"--masks DIR": "--masks MASKS",
    r"--size \d+ \d+": "--size 33 33",
}
TINY = tiny_run.recipe(epochs=1, multipliers={})
# What a recipe for CamVid is made small by; its data are found by their folders.
SMALL = {
    name: value
    for name, value in TINY.as_data().items()
    if name not in ("name", "steps", "weights")
}
# The same for Python: a small model, few and small crops, nothing to download.
NUMBERS = {
    r"\b257\b": "33",
    r"\bbatch_size=\d+": "batch_size=2",
    r"\bepochs=\d+": "epochs=1",
    r"\bshards=\d+": "shards=2",
    r'"epochs": \d+': '"weights": None, **SMALL',
    r'"mobilenet_v2", classes': "**SMALL['arguments'], classes",
}
# What makes a command small.
FEWER = {
    "bench": ["--threads", "1", "--seconds", "0"],
    "export": ["--least-agreement", "0.5"],
}
# Runs in tests/test_readme.py, which also looks at what it found.
README = "README.md"
RUN = [
    page
    for page in PAGES
    if any(s.language == "python" or not_run.is_run(page, s.text) for s in steps(page))
]


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """What the pages take for granted, in the folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_DEEPLAB_TEST_DATA", raising=False)
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_DEEPLAB_MIRROR", str(tmp_path / "no mirror"))
    monkeypatch.setattr(tflite, "_SECONDS", 0.01)
    tiny_run.write_data(tmp_path / "DATA")
    shutil.copytree("DATA/train", "data")
    shutil.copy("DATA/classes.txt", "data")
    random = np.random.default_rng(0)
    for name in ("PHOTOS", "MASKS"):
        pathlib.Path(name).mkdir()
    for photo in ("cat", "promenade"):
        with Image.open(ROOT / f"keras_deeplab/assets/{photo}.jpg") as image:
            image.resize((49, 33)).save(f"PHOTOS/{photo}.png")
        write_labels(f"MASKS/{photo}.png", random.integers(0, 3, (33, 49), "uint8"))
    for name in ("PHOTOS", "MASKS"):
        shutil.copytree(name, name.lower())
    with Image.open(ROOT / "keras_deeplab/assets/cat.jpg") as image:
        image.resize((49, 33)).save("photo.jpg")
    write_crf("crf.json", dataclasses.replace(CRF_PRESETS["v1"], iterations=1))
    make_model(classes=3, crop_size=33, class_names=tiny_run.CLASSES).save(
        "model.keras"
    )
    return tmp_path


def replaced(text: str, table: Mapping[str, str]) -> str:
    for pattern, value in table.items():
        text = re.sub(pattern, value, text)
    return text


def small(line: str) -> list[str]:
    """The words of a command, with the reader's names filled in, and made small."""
    _, command, *words = replaced(line, NAMES).split()
    if command == "train":
        words += [f"--set={name}={json.dumps(each)}" for name, each in SMALL.items()]
    if command in ("segment", "train") and "--weights" not in words:
        words += ["--weights", "model.keras" if command == "segment" else "none"]
    if command in ("evaluate", "segment") and "--crf" in words:
        words += ["--crf-accuracy", "mobile"]
    return [command, *words, *FEWER.get(command, [])]


def run(page: str, step: Step, names: dict[str, object]) -> None:
    if step.language == "python" and page != README:
        exec(compile(replaced(step.text, NUMBERS), str(ROOT / page), "exec"), names)
    elif step.language == "shell" and not_run.is_run(page, step.text):
        words = small(step.text)
        result = CliRunner().invoke(app, words)
        where = f"{page}, line {step.line}: {' '.join(words)}"
        assert result.exit_code == 0, f"{where}\n{result.output}{result.exception!r}"


@pytest.mark.filterwarnings("ignore:The statistics of 2 images are poor:UserWarning")
@pytest.mark.parametrize("page", RUN)
def test_page_runs(page: str, folder: pathlib.Path) -> None:
    names: dict[str, object] = {"__name__": "page", "SMALL": SMALL}
    # As in docstrings; a page that begins otherwise makes its own.
    names |= {"keras": keras, "keras_deeplab": keras_deeplab, "np": np}
    names["model"] = keras_deeplab.load_model("model.keras")
    for step in steps(page):
        run(page, step, names)
    assert os.listdir(folder)
