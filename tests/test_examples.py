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


WEIGHTS = "deeplabv3plus_mobilenet_v2_035_camvid"


@pytest.fixture
def street(tmp_path: pathlib.Path) -> pathlib.Path:
    """An animation of three frames."""
    with Image.open(ROOT / "keras_deeplab/assets/promenade.jpg") as photo:
        small = photo.resize((96, 64))
    frames = [small.crop((shift, 0, shift + 90, 64)) for shift in (0, 3, 6)]
    path = tmp_path / "street.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return path


def test_stream_of_an_animation_writes_a_frame_for_each_and_says_how_fast(
    street: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = example("stream").main
    run([WEIGHTS, str(street), str(tmp_path / "out"), "--output-stride", "32"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["frame 0", "frame 1", "frame 2"]
    assert all(float(line.split()[2]) > 0 for line in lines)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["000000.jpg", "000001.jpg", "000002.jpg"]
    with Image.open(tmp_path / "out/000002.jpg") as picture:
        assert picture.size == (90, 64)
    run([WEIGHTS, str(tmp_path / "out"), str(tmp_path / "two.gif"), "--frames", "2"])
    with Image.open(tmp_path / "two.gif") as animation:
        assert (animation.n_frames, animation.size) == (2, (90, 64))


def test_stream_of_a_video_without_opencv_says_what_to_install(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"a video")
    monkeypatch.setitem(sys.modules, "cv2", None)
    frames = example("stream").frames_of
    with pytest.raises(SystemExit, match="needs OpenCV: `pip install"):
        next(frames(str(tmp_path / "clip.mp4")))
    with pytest.raises(SystemExit, match="no folder, file or camera nowhere"):
        next(frames("nowhere"))


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
