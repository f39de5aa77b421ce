import csv
import json
import pathlib
import shutil
import signal
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

import keras_deeplab
from keras_deeplab._file_lock import lock_file
from keras_deeplab.training import find_data, run, train
from keras_deeplab.training.build import build_model, compile_model, rebuild_model
from keras_deeplab.training.checkpoints import Checkpoints
from keras_deeplab.training.recorder import Recorder
from keras_deeplab.training.run_folder import RunFolder
from tests.training import tiny_run
from tests.training.processes import end, start

few_images = pytest.mark.filterwarnings("ignore:The statistics of")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tiny_run.write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The folder of a training that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole")
    with pytest.warns(UserWarning, match="2 images are poor"):
        train(tiny_run.recipe(), data, out, verbose=0)
    return out


@pytest.fixture(scope="module")
def killed(
    data: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
    """The folder of a training that was killed in the middle of its third epoch."""
    out = tmp_path_factory.mktemp("killed")
    code, errors = end(start("tiny_run.py", data, out, "--kill-in", 2))
    assert code == -signal.SIGKILL, errors
    # What a kill while writing leaves behind.
    (out / "checkpoints" / ".9.part.epoch-00009.npz").write_bytes(b"half")
    return out


def state(out: pathlib.Path) -> tuple[np.ndarray, ...]:
    newest = Checkpoints(out / "checkpoints").newest()
    assert newest is not None
    assert newest.epoch == tiny_run.EPOCHS
    return newest.arrays


def history(out: pathlib.Path) -> list[dict[str, str]]:
    with open(out / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        del row["seconds"]
    return rows


@few_images
def test_run_leaves_models_history_and_pictures(
    whole: pathlib.Path, data: pathlib.Path
) -> None:
    report = json.loads((whole / "report.json").read_text())
    rows = history(whole)
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    model = keras_deeplab.load_model(whole / "last.keras")
    assert model.class_names == tiny_run.CLASSES
    scores = keras_deeplab.evaluate(
        model, data / "val" / "images", data / "val" / "masks"
    )
    assert report["scores"]["last"]["mean_iou"] == pytest.approx(scores.mean_iou)
    assert float(rows[-1]["mean_iou"]) == pytest.approx(scores.mean_iou)
    assert float(rows[-1]["iou_street"]) == pytest.approx(scores.class_iou[1])
    best = max(rows, key=lambda row: float(row["mean_iou"]))
    assert report["scores"]["best"]["epoch"] == int(best["epoch"])
    # Not CamVid, as the recipe has it.
    own = {"train_data": None, "val_data": None}
    assert report["recipe"] == {**tiny_run.recipe().as_data(), **own}
    assert report["files"]["train"]["images"] == str(data / "train" / "images")
    assert report["files"]["val"] == {
        "images": str(data / "val" / "images"),
        "masks": str(data / "val" / "masks"),
        "photos": ["0.png", "1.png"],
    }
    assert report["data"]["train"]["pairs"] == 6
    assert report["versions"]["keras"] == keras.__version__
    for name in ("curves.png", "samples.png"):
        with Image.open(whole / name) as picture:
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 3
    assert len(list((whole / "checkpoints").iterdir())) == 2


@few_images
def test_start_is_scored_where_it_is_that_of_a_trained_model(
    whole: pathlib.Path, data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    best = str(whole / "best.keras")
    report = json.loads((whole / "report.json").read_text())
    assert "start" not in report["scores"]
    for weights, scored in (
        (best, True),
        (None, False),
        ("mobilenet_v2_imagenet", False),
    ):
        # Its averages are nothing before the first step.
        recipe = tiny_run.recipe(weights=best)
        splits = find_data(recipe, data)
        model = build_model(recipe, splits.train)
        trained = compile_model(
            model, recipe, steps_per_epoch=3, ignore_label=255, class_weights=None
        )
        recorder = Recorder(
            RunFolder(tmp_path),
            recipe.with_changes({"weights": weights}),
            model,
            splits.val,
            epochs=1,
            facts={},
        )
        recorder.set_model(trained)
        recorder.on_train_begin()
        assert ("start" in recorder.scores) == scored
        if scored:
            wanted = report["scores"]["best"]["mean_iou"]
            assert recorder.scores["start"]["mean_iou"] == pytest.approx(wanted)


@pytest.mark.slow
@few_images
def test_killed_run_that_goes_on_arrives_where_a_whole_one_does(
    whole: pathlib.Path,
    killed: pathlib.Path,
    data: pathlib.Path,
    tmp_path: pathlib.Path,
) -> None:
    out = tmp_path / "run"
    shutil.copytree(killed, out)
    # And the machine lost half of the last file that was written.
    newest = out / "checkpoints" / "epoch-00002.npz"
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    said: list[str] = []
    with pytest.warns(UserWarning, match=r"epoch-00002\.npz is damaged"):
        train(tiny_run.recipe(), data, out, resume=True, verbose=0, say=said.append)
    assert said == ["Going on after epoch 1 of 4"]
    assert not list(out.rglob(".*.part.*"))
    for found, wanted in zip(state(out), state(whole), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert history(out) == history(whole)
    last, expected = (
        keras_deeplab.load_model(folder / "last.keras") for folder in (out, whole)
    )
    for found, wanted in zip(last.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


@few_images
def test_run_refuses_a_folder_that_is_not_its_own(
    whole: pathlib.Path, data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*")}
    with pytest.raises(ValueError, match="go on: `resume`"):
        train(tiny_run.recipe(), data, whole)
    with pytest.raises(ValueError, match="another learning_rate than in"):
        train(tiny_run.recipe(learning_rate=0.02), data, whole, resume=True)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"no recipe\.json"):
        train(tiny_run.recipe(), data, tmp_path, resume=True)
    other = tiny_run.write_data(tmp_path / "other")
    (other / "classes.txt").write_text("sky\nroad\ntree")
    with pytest.raises(ValueError, match="The checkpoint is of other data"):
        train(tiny_run.recipe(), other, whole, resume=True)
    assert before == {path: path.stat().st_mtime_ns for path in whole.rglob("*")}


@few_images
def test_run_in_a_folder_where_another_trains_is_refused(
    killed: pathlib.Path, data: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = killed / "recipe.json"
    with (
        lock_file(recipe),
        pytest.raises(BlockingIOError, match=f"works on {recipe}"),
    ):
        train(tiny_run.recipe(), data, killed, resume=True)
    # Another that began after this one had looked, and has ended since.
    sneaked = killed / "checkpoints" / "epoch-00003.npz"

    def build(*given: Any) -> Any:
        sneaked.write_bytes(b"its epoch")
        return rebuild_model(*given)

    monkeypatch.setattr(run, "rebuild_model", build)
    before = recipe.stat().st_mtime_ns
    with pytest.raises(BlockingIOError, match="trained in the folder meanwhile"):
        train(tiny_run.recipe(), data, killed, resume=True)
    sneaked.unlink()
    assert recipe.stat().st_mtime_ns == before


@few_images
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 7}, "`batch_size` must be at most the number of photos, 6"),
        ({"after": "other"}, "give that as `weights`"),
        ({"weights": "nothing"}, "`weights` must be a file"),
        ({"multipliers": {"no such": 2}}, "Every pattern in `multipliers`"),
        ({"augmentation.flip": 2}, "`flip` must lie in"),
    ],
)
def test_run_that_cannot_start_leaves_no_folder(
    changes: dict, message: str, data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(ValueError, match=message):
        train(tiny_run.recipe(**changes), data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@few_images
def test_loss_that_is_no_number_is_told_with_files_and_checkpoint(
    whole: pathlib.Path, data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "run"
    rate = {"schedule": "staircase", "optimizer": "sgd"}
    # So that the first epoch is fine and the next is not.
    rate["schedule_options"] = {"decay_steps": 3, "decay_rate": 1e38}
    with pytest.raises(FloatingPointError) as told:
        train(tiny_run.recipe(**rate, class_weights=None), data, out, verbose=0)
    message = str(told.value)
    assert "(epoch 1, batch " in message
    assert message.count(".png'") == 2
    assert f"The last good checkpoint: {out / 'checkpoints' / 'epoch-00001.npz'}" in (
        message
    )


@pytest.mark.slow
@few_images
def test_student_of_a_teacher_nears_it(
    whole: pathlib.Path, data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    teacher = str(whole / "best.keras")
    changes = {"teacher": teacher, "teacher_weight": 1.0, "epochs": 2, "ema": None}
    train(tiny_run.recipe(**changes), data, tmp_path / "run", verbose=0)
    losses = [float(row["loss"]) for row in history(tmp_path / "run")]
    # Nothing but the divergence counts, which begins far below the cross-entropy.
    assert losses[1] < losses[0] < 0.5
    keras_deeplab.load_model(tmp_path / "run" / "best.keras")
