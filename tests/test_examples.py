"""The examples run as their first lines say."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
from types import ModuleType

import keras
import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import write_labels
from tests.conftest import lack

ROOT = pathlib.Path(__file__).parents[1]


def example(name: str) -> ModuleType:
    path = ROOT / "examples" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_segment_of_a_cat_finds_a_cat(
    data_dir: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = data_dir / "models/deeplab/deeplabv3_257_mv_gpu.tflite"
    photo = ROOT / "keras_deeplab/assets/cat.jpg"
    out = tmp_path / "cat.png"
    example("segment").main([str(weights), str(photo), str(out)])
    assert capsys.readouterr().out.splitlines()[0].endswith("cat")
    with Image.open(out) as picture:
        assert picture.size[0] == 451


@pytest.fixture
def noise(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder of photos and masks."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "data"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    (folder / "classes.txt").write_text("wall\ndoor\nroof\n")
    for index in range(4):
        photo = rng.integers(0, 256, (65, 65, 3), "uint8")
        Image.fromarray(photo).save(folder / f"images/{index}.png")
        labels = rng.integers(0, 3, (65, 65), "uint8")
        write_labels(folder / f"masks/{index}.png", labels)
    return folder


@pytest.mark.slow
def test_train_ray_on_two_workers_arrives_where_one_does(
    noise: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    if importlib.util.find_spec("ray") is None:
        lack("RAY", "No Ray: pip install 'keras-deeplab[ray]'")
    # In float64 the weights differ by no more than the loss, which is float32, rounds.
    (tmp_path / "keras.json").write_text(json.dumps({"floatx": "float64"}))
    environment = {
        **os.environ,
        "KERAS_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    weights = []
    for workers in ("1", "2"):
        out = tmp_path / f"{workers}.keras"
        command = [sys.executable, str(ROOT / "examples/train_ray.py"), str(noise)]
        command += [str(out), "--workers", workers, "--batch-size", "4"]
        command += ["--epochs", "2", "--alpha", "0.5"]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        weights.append(keras.saving.load_model(out).get_weights())
    for one, two in zip(*weights, strict=True):
        np.testing.assert_allclose(two, one, atol=1e-5)
