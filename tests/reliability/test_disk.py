"""A full disk and one that may only be read, at everything that writes.

The disk is a real one, of some kilobytes, which only root may mount: permissions would
stop nobody who runs as root.
"""

import json
import os
import pathlib
from collections.abc import Callable

import pytest
from typer.testing import Result

from keras_deeplab import inference
from keras_deeplab.data import load_folder, load_shards, read_labels, write_shards
from keras_deeplab.export import tflite, to_saved_model, to_tflite
from keras_deeplab.inference import CRFSearch, write_crf
from keras_deeplab.inference.crf_search import CRFTrial
from keras_deeplab.layers.crf_presets import CRF_PRESETS
from keras_deeplab.models import Segmenter
from keras_deeplab.training import train
from keras_deeplab.weights import load_model
from tests.inference.color_model import ColorModel
from tests.reliability.clearly import told_clearly
from tests.reliability.trees import files_in
from tests.training import tiny_run

pytestmark = pytest.mark.filterwarnings("ignore:The statistics of")

FULL, READ_ONLY = "No space left on device", "Read-only file system"
Disk = Callable[..., pathlib.Path]
Run = Callable[..., Result]


@pytest.fixture
def network(model_file: pathlib.Path) -> Segmenter:
    return load_model(model_file)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports without their timing, which takes longer than all the rest."""
    monkeypatch.setattr(tflite, "measure_latency", lambda *_, **__: ())
    monkeypatch.setattr(tflite, "measure_peak", lambda path: None)


def test_segment_on_a_full_disk_tells_each_photo_and_leaves_whole_files(
    small_disk: Disk, pairs: pathlib.Path, colors: ColorModel, run: Run
) -> None:
    words = ("segment", pairs / "images", "--weights", "any", "--out")
    disk = small_disk(8)
    result = run(*words, disk)
    assert result.exit_code == 1
    title, *lines = result.stderr.splitlines()
    assert title == "3 of 3 photos failed:" or len(lines) == 2
    for line in lines:
        assert f"{FULL}: '{disk}" in line
    for path in disk.iterdir():
        assert not path.name.startswith(".")
        if path.name.endswith(".labels.png"):
            truth = read_labels(pairs / "masks" / path.name.replace(".labels", ""))
            assert (read_labels(path) == truth).all()
    small_disk(1000)
    assert run(*words, disk).exit_code == 0
    assert len(list(disk.iterdir())) == 6


def test_reports_on_a_full_disk_are_told_and_leave_nothing_half_written(
    small_disk: Disk,
    pairs: pathlib.Path,
    colors: ColorModel,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = small_disk(4)
    (disk / "full").write_bytes(b"0" * 4096)
    folders = ("--images", pairs / "images", "--masks", pairs / "masks")
    for words, name in (
        (("evaluate", *folders, "--weights", "any", "--json"), "scores.json"),
        (("crf-search", *folders, "--weights", "any", "--out"), "crf.json"),
        (("audit", pairs, "--out"), "audit"),
    ):
        monkeypatch.setattr(inference, "search_crf", searched)
        line = told_clearly(run(*words, disk / name))
        assert FULL in line
        assert str(disk / name) in line
    assert files_in(disk).keys() == {"full"}


def searched(*_: object, each_time: Callable[..., None], **__: object) -> CRFSearch:
    """What a search finds, which takes long, and does after each of its rounds."""
    trial = CRFTrial(parameters=CRF_PRESETS["v1"], mean_iou=0.5, round=1)
    found = CRFSearch(
        trials=(trial,), plain_mean_iou=0.4, accuracy="accurate", photos=("0.png",)
    )
    each_time(found)
    return found


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_conversion_on_a_full_disk_keeps_the_old_file(
    ending: str, small_disk: Disk, model_file: pathlib.Path, run: Run
) -> None:
    disk = small_disk(60)
    (disk / f"out{ending}").write_text("older")
    words = ("weights", "convert", model_file, disk / f"out{ending}")
    assert f"{FULL}: '{disk}" in told_clearly(run(*words))
    assert files_in(disk) == {f"out{ending}": b"older"}
    small_disk(4000)
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    (content,) = files_in(disk).values()
    assert len(content) > 60_000


def test_shards_on_a_full_disk_leave_nothing(
    small_disk: Disk, pairs: pathlib.Path
) -> None:
    disk, data = small_disk(4), load_folder(pairs)
    (disk / "full").write_bytes(b"0" * 4000)
    with pytest.raises(OSError, match=FULL) as error:
        write_shards(data, disk / "shards")
    assert f"'{disk / 'shards'}" in str(error.value)
    assert os.listdir(disk) == ["full"]
    small_disk(400)
    write_shards(data, disk / "shards")
    assert len(load_shards(disk / "shards")) == 3


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("write", "name"), [(to_tflite, "model.tflite"), (to_saved_model, "model")]
)
def test_export_to_a_full_disk_leaves_nothing(
    write: Callable[..., object], name: str, small_disk: Disk, network: Segmenter
) -> None:
    disk = small_disk(24)
    with pytest.raises(OSError, match=FULL) as error:
        write(network, disk / name)
    assert str(disk / name) in str(error.value)
    assert not files_in(disk)


def test_training_on_a_full_disk_goes_on_when_there_is_room(
    small_disk: Disk, tmp_path: pathlib.Path
) -> None:
    data, recipe = tiny_run.write_data(tmp_path / "data"), tiny_run.one_epoch()
    disk = small_disk(100)
    out = disk / "run"
    with pytest.raises(OSError, match=FULL) as error:
        train(recipe, data, out, verbose=0)
    assert f"'{out / 'last.keras'}'" in str(error.value)
    report = json.loads((out / "report.json").read_text())
    assert report["epochs_done"] == 0
    small_disk(8000)
    report = train(recipe, data, out, resume=True, verbose=0)
    assert report["epochs_done"] == 1
    assert load_model(out / "best.keras").class_names == tiny_run.CLASSES


@pytest.mark.usefixtures("quick")
def test_everything_that_writes_to_a_disk_to_be_read_only_says_so(
    small_disk: Disk,
    pairs: pathlib.Path,
    tmp_path: pathlib.Path,
    colors: ColorModel,
    network: Segmenter,
    model_file: pathlib.Path,
    run: Run,
) -> None:
    disk = small_disk(100)
    (disk / "mine").write_text("kept")
    small_disk(100, "ro")
    folders = ("--images", pairs / "images", "--masks", pairs / "masks")
    for words in (
        ("segment", pairs / "images", "--weights", "any", "--out", disk),
        ("segment", pairs / "images", "--weights", "any", "--out", disk / "new"),
        ("evaluate", *folders, "--weights", "any", "--json", disk / "scores.json"),
        ("crf-search", *folders, "--weights", "any", "--out", disk / "crf.json"),
        ("audit", pairs, "--out", disk),
        ("weights", "convert", model_file, disk / "out.keras"),
        ("weights", "convert", model_file, disk / "out.weights.h5"),
    ):
        line = told_clearly(run(*words))
        assert str(disk) in line
        assert READ_ONLY in line or "Nothing may be written" in line
    data, recipe = tiny_run.write_data(tmp_path / "data"), tiny_run.recipe()
    for write in (
        lambda: write_crf(disk / "crf.json", CRF_PRESETS["v1"]),
        lambda: write_shards(load_folder(pairs), disk / "shards"),
        lambda: to_tflite(network, disk / "model.tflite"),
        lambda: to_saved_model(network, disk / "model"),
        lambda: train(recipe, data, disk / "run", verbose=0),
    ):
        with pytest.raises(OSError, match=READ_ONLY) as error:
            write()
        assert str(disk) in str(error.value)
    assert files_in(disk) == {"mine": b"kept"}
