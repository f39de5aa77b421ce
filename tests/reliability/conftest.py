"""What the tests of reliability share: the profile of hypothesis, a model, a disk."""

import os
import pathlib
import subprocess
from collections.abc import Callable, Iterator

import keras
import pytest
from hypothesis import HealthCheck, settings
from typer.testing import CliRunner, Result

import keras_deeplab
from keras_deeplab import weights
from keras_deeplab_cli import app
from tests.inference.color_model import ColorModel
from tests.reliability.trees import write_pairs

# The same examples in every run: what fails today fails tomorrow. No deadline, because
# the first call of anything traces it.
settings.register_profile(
    "reliability",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("reliability")


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A model of a network that is whole, and as small as one can be: four classes."""
    keras.utils.set_random_seed(0)
    model = keras_deeplab.DeepLabV3(
        backbone="resnet50",
        blocks=[1, 1, 1, 1],
        multi_grid=[1],
        stage_filters=[4, 4, 8, 8],
        filters=8,
        atrous_rates=[1],
        classes=4,
        crop_size=33,
    )
    path = tmp_path_factory.mktemp("model") / "tiny.keras"
    model.save(path)
    return path


@pytest.fixture
def run(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs a command in an empty folder, without a cache and without the network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_DEEPLAB_TEST_DATA", raising=False)
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_DEEPLAB_MIRROR", str(tmp_path / "mirror"))
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def colors(monkeypatch: pytest.MonkeyPatch) -> ColorModel:
    """What every `--weights` loads: a model without a network, and so without time."""
    fake = ColorModel()
    monkeypatch.setattr(weights, "load_model", lambda source: fake)
    return fake


@pytest.fixture
def pairs(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with `images` and `masks`, of three pairs."""
    return write_pairs(tmp_path / "pairs")


@pytest.fixture
def small_disk(tmp_path: pathlib.Path) -> Iterator[Callable[..., pathlib.Path]]:
    """Mounts a disk of so many KiB, `rw` or `ro`, or skips where nobody may mount."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size: int, mode: str = "rw") -> pathlib.Path:
        again = ",remount" if os.path.ismount(folder) else ""
        options = ["-t", "tmpfs", "-o", f"size={size}k,{mode}{again}"]
        done = subprocess.run(
            ["mount", *options, "tmpfs", str(folder)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("Only root may mount a small disk.")
        return folder

    yield mount
    if os.path.ismount(folder):
        subprocess.run(["umount", "-l", str(folder)], check=True)
