"""Killed at every stage: what is there is whole, and a second run ends as the first.

A training that is killed in the middle of an epoch, a download that is killed, and
locks whose holder is killed are in `tests/training/test_run.py` and `tests/weights`.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from typer.testing import Result

from keras_deeplab import training, weights
from keras_deeplab._atomic_file import write_atomically
from keras_deeplab.data import (
    load_folder,
    load_shards,
    read_labels,
    read_photo,
    write_shards,
)
from keras_deeplab.export import tflite, to_saved_model, to_tflite
from keras_deeplab.training.checkpoints import Checkpoints
from tests.inference.color_model import ColorModel
from tests.reliability.snapshots import Snapshots, seen
from tests.reliability.trees import files_in, write_pairs
from tests.training import tiny_run

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def out(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def shots(
    out: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Snapshots:
    """Of the folder `out`, while the test runs."""
    found = Snapshots(out, tmp_path / "shots")
    found.install(monkeypatch)
    return found


def check_whole(shots: Snapshots, final: dict[str, bytes]) -> None:
    """Whatever has a name of its own is what it is in the end."""
    for shot in shots:
        found = seen(shot)
        assert found.items() <= final.items(), shot


def test_segment_killed_at_any_stage_leaves_whole_files_and_does_all_when_repeated(
    pairs: pathlib.Path,
    out: pathlib.Path,
    shots: Snapshots,
    colors: ColorModel,
    run: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ("segment", pairs / "images", "--weights", "any", "--out")
    assert run(*words, out).exit_code == 0
    assert len(shots) == 18
    check_whole(shots, files_in(out))
    monkeypatch.undo()
    monkeypatch.setattr(weights, "load_model", lambda source: colors)
    for shot in shots:
        assert run(*words, shot).exit_code == 0
        assert seen(shot) == files_in(out)


def test_shards_killed_at_any_stage_are_there_or_not(
    pairs: pathlib.Path, out: pathlib.Path, shots: Snapshots
) -> None:
    data = load_folder(pairs)
    write_shards(data, out / "shards", shards=2)
    check_whole(shots, files_in(out))
    for number, shot in enumerate(shots):
        there = number == 2
        assert (shot / "shards").exists() == there
        if not there:
            write_shards(data, shot / "shards", shards=2)
        assert seen(shot) == files_in(out)
        assert len(load_shards(shot / "shards")) == 3


def test_conversion_killed_at_any_stage_keeps_the_old_file_or_has_the_new(
    model_file: pathlib.Path, out: pathlib.Path, shots: Snapshots
) -> None:
    (out / "m.weights.h5").write_text("older")
    weights.convert_weights(model_file, out / "m.weights.h5", float16=True)
    final = (out / "m.weights.h5").read_bytes()
    contents = [seen(shot)["m.weights.h5"] for shot in shots]
    # First the part is replaced by its half, then the old file by that.
    assert contents == [b"older"] * 5 + [final]


@pytest.mark.parametrize("write", [to_tflite, to_saved_model])
def test_export_killed_at_any_stage_is_there_or_not_and_succeeds_when_repeated(
    write: Callable[..., object],
    out: pathlib.Path,
    shots: Snapshots,
    model_file: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tflite, "measure_latency", lambda *_, **__: ())
    monkeypatch.setattr(tflite, "measure_peak", lambda path: None)
    model = weights.load_model(model_file)
    write(model, out / "road.tflite")
    check_whole(shots, files_in(out))
    # The report comes last: what has one is whole.
    assert len(shots) == 6
    monkeypatch.setattr(os, "replace", shots._replace)
    half = list(shots)[1]
    assert not seen(half)
    write(model, half / "road.tflite")
    assert seen(half).keys() == files_in(out).keys()


@pytest.mark.filterwarnings("ignore:The statistics of")
def test_training_killed_at_any_stage_goes_on_to_the_same_weights(
    out: pathlib.Path,
    shots: Snapshots,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, recipe = tiny_run.write_data(tmp_path / "data"), tiny_run.one_epoch()
    training.train(recipe, data, out / "run", verbose=0)
    final = files_in(out / "run")
    monkeypatch.setattr(os, "replace", shots._replace)
    stages = {}
    for shot in shots:
        found = seen(shot / "run")
        # The one file that is written twice.
        report = json.loads(found.pop("report.json", b"{}"))
        assert report.get("epochs_done", 0) in (0, 1)
        assert found.items() <= final.items()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            newest = Checkpoints(shot / "run" / "checkpoints").newest()
        assert newest is None or newest.epoch == 1
        stages[frozenset(found)] = shot / "run"
    # One for every file that is written but once.
    assert len(stages) == len(final) - 1
    # The one before the checkpoint is there, and the one after.
    state = "checkpoints/epoch-00001.npz"
    after = next(names for names in stages if state in names)
    for path in (stages[after - {state}], stages[after]):
        training.train(recipe, data, path, resume=True, verbose=0)
        assert files_in(path).keys() == final.keys()
        again, first = (
            weights.load_model(folder / "last.keras") for folder in (path, out / "run")
        )
        for found, wanted in zip(again.get_weights(), first.get_weights(), strict=True):
            np.testing.assert_array_equal(found, wanted)


LONG = 300


@pytest.fixture
def long_job(
    tmp_path: pathlib.Path, model_file: pathlib.Path
) -> Callable[[str], tuple[int, str, pathlib.Path]]:
    """Segments many photos, and is sent a signal when it has written some."""
    root = write_pairs(tmp_path / "many", count=1)
    for index in range(1, LONG):
        os.link(root / "images" / "0.png", root / "images" / f"{index}.png")

    def start(number: str) -> tuple[int, str, pathlib.Path]:
        out = tmp_path / number
        segment = [sys.executable, "-m", "keras_deeplab_cli", "segment"]
        process = subprocess.Popen(
            [*segment, root / "images", "--weights", model_file, "--out", out],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        while len(seen(out)) < 5 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(getattr(signal, number))
        _, errors = process.communicate(timeout=60)
        return process.returncode, errors, out

    return start


@pytest.mark.parametrize(
    ("number", "code"), [("SIGKILL", -signal.SIGKILL), ("SIGINT", 130)]
)
def test_signal_in_the_middle_of_many_photos_leaves_whole_files(
    number: str,
    code: int,
    long_job: Callable[[str], tuple[int, str, pathlib.Path]],
) -> None:
    found, errors, out = long_job(number)
    assert found == code, errors
    assert "Traceback" not in errors
    files = seen(out)
    assert 5 <= len(files) < 2 * LONG
    for name in files:
        if name.endswith(".labels.png"):
            read_labels(out / name)
        else:
            read_photo(out / name)
    hidden = files_in(out).keys() - files.keys()
    # A process that is killed cannot tidy up; one that is stopped does.
    assert len(hidden) <= (number == "SIGKILL")


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("segment pairs/images --weights any", "inference.run_jobs"),
        (
            "evaluate --images pairs/images --masks pairs/masks --weights any",
            "inference.evaluate_data",
        ),
        ("audit pairs", "data.audit"),
        (
            "train --recipe camvid_mobilenet_v2 --data pairs --out run",
            "training.find_data",
        ),
        ("export --weights any --out m.tflite", "export.to_tflite"),
        ("weights convert any m.keras", "weights.convert_weights"),
    ],
)
def test_ctrl_c_ends_any_command_without_a_traceback(
    words: str,
    place: str,
    pairs: pathlib.Path,
    tmp_path: pathlib.Path,
    colors: ColorModel,
    run: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"keras_deeplab.{place}", stop)
    result = run(*words.split())
    assert result.exit_code == 130
    assert "Traceback" not in result.output + result.stderr
    assert all(name.startswith("pairs") for name in files_in(tmp_path))


def test_many_writers_of_one_file_leave_the_whole_file_of_one(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "one.bin"
    ready = threading.Barrier(8)
    contents = [bytes([index]) * 100_000 for index in range(8)]

    def write(content: bytes) -> None:
        ready.wait()
        for start in range(10):
            write_atomically(
                path, lambda file: [file.write(content[i::10]) for i in range(10)]
            )
            assert start >= 0

    threads = [threading.Thread(target=write, args=(each,)) for each in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert os.listdir(tmp_path) == ["one.bin"]
