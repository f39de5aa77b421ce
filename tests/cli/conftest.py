import pathlib
from collections.abc import Callable

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from keras_deeplab import weights
from keras_deeplab_cli import app
from tests.inference.color_model import ColorModel


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ColorModel:
    """What every `--weights` loads, unless it is `broken`."""
    fake = ColorModel()

    def load(source: str) -> ColorModel:
        if source == "broken":
            raise ValueError("A tensor is missing.\nReceived: source='broken'")
        return fake

    monkeypatch.setattr(weights, "load_model", load, raising=False)
    return fake


@pytest.fixture(autouse=True)
def no_official_weights(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not part of `run`: the folders below set a cache and a mirror of their own.
    monkeypatch.delenv("KERAS_DEEPLAB_TEST_DATA", raising=False)
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", str(tmp_path.with_suffix(".home")))
    monkeypatch.setenv("KERAS_DEEPLAB_MIRROR", str(tmp_path.with_suffix(".mirror")))


@pytest.fixture
def run(
    model: ColorModel, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def photos(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder of three photos: half red, blue, and no photo at all."""
    folder = tmp_path / "photos"
    folder.mkdir()
    half = Image.new("RGB", (20, 10))
    half.paste("red", (0, 0, 10, 10))
    half.save(folder / "a.png")
    Image.new("RGB", (20, 10), "blue").save(folder / "b.png")
    (folder / "c.jpg").write_bytes(b"no photo")
    return folder
