import json
import os
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

import keras_deeplab
from keras_deeplab import training
from keras_deeplab.training import RECIPES
from keras_deeplab_cli.training_scores import say_scores
from tests.training import tiny_run

ROOT = pathlib.Path(__file__).parents[2]
Run = Callable[..., Result]


@pytest.fixture
def options(tmp_path: pathlib.Path) -> dict[str, object]:
    data = tiny_run.write_data(tmp_path / "data")
    return {"--recipe": "camvid_mobilenet_v2", "--data": data, "--out": "run"}


def words(options: dict[str, object]) -> list[object]:
    return [word for pair in options.items() for word in pair]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `train` is called with, in place of training."""
    calls: list[Any] = []
    scores = {"epoch": 1, "mean_iou": 0.5, "class_iou": {"sky": 0.25, "tree": None}}

    def train(recipe: Any, data: Any, out: Any, **keywords: Any) -> dict[str, Any]:
        calls.append((recipe, data, out, keywords))
        return {"scores": {"best": scores, "last": {**scores, "epoch": 2}}}

    monkeypatch.setattr(training, "train", train)
    return calls


def test_train_gives_the_recipe_its_changes_and_prints_the_scores(
    run: Run, options: dict[str, object], started: list[Any]
) -> None:
    changes = ("epochs=9", "augmentation.hue=0.1", "precision=float64")
    sets = [word for change in changes for word in ("--set", change)]
    more = ["--weights", "none", "--resume", "--epochs", 3, "--quantize", "int8"]
    result = run("train", *words(options), *sets, *more)
    assert result.exit_code == 0, result.output
    ((recipe, data, out, keywords),) = started
    expected = RECIPES["camvid_mobilenet_v2"].with_changes(
        {
            "epochs": 3,
            "augmentation.hue": 0.1,
            "precision": "float64",
            "quantize": "int8",
            "weights": None,
        }
    )
    assert recipe == expected
    assert (len(data.train), len(data.val)) == (6, 2)
    assert str(out) == "run"
    assert keywords["resume"] is True
    assert keywords["cache"] is False
    for text in ("Best: epoch 1", "Last: epoch 2", "25.00", "50.00", "best.keras"):
        assert text in result.stdout


@pytest.mark.parametrize(
    ("start", "told"), [(0.75, True), (0.5, True), (0.25, False), (None, False)]
)
def test_train_says_if_no_epoch_is_better_than_the_start(
    start: float | None, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    best = {"epoch": 1, "mean_iou": 0.5, "class_iou": {"sky": 0.5}}
    found = {"epoch": 0, "mean_iou": start, "class_iou": {"sky": start}}
    say_scores({"best": best, "last": best, "start": found})
    said = " ".join(capsys.readouterr().out.split())
    assert ("No epoch is better than the start" in said) == told
    assert " Start " in said
    if told and start is not None:
        assert f"whose mean IoU is {100 * start:.2f} %" in said


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--quantize", "int4"], "--quantize must be one of 'none', 'int8'"),
        (["--set", "batch"], "--set takes KEY=VALUE. Received: 'batch'"),
        (["--set", "batchsize=2"], "no field 'batchsize'. Did you mean batch_size"),
        (["--set", "batch_size=two"], "`batch_size` must be an integer"),
        (["--recipe", "best"], "no such recipe. Choose one of: deeplabv1_vgg16_voc, "),
        (["--data", "."], "The dataset is not there"),
        (["--classes-file", "none.txt"], "does not exist"),
        (
            ["--out", "data", "--weights", "none"],
            "unless a training in it is to go on: --resume. Received: --out data",
        ),
    ],
)
def test_train_that_cannot_start_says_why_and_exits_with_2(
    more: list[str], message: str, run: Run, options: dict[str, object]
) -> None:
    result = run("train", *words(options), *more)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""
    assert not pathlib.Path("run").exists()


def test_train_that_breaks_down_exits_with_1(
    run: Run, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: Any, **__: Any) -> None:
        raise FloatingPointError("The loss is nan after step 3.")

    monkeypatch.setattr(training, "train", train)
    result = run("train", *words(options), "--weights", "none")
    assert result.exit_code == 1
    assert result.stderr == "Error: The loss is nan after step 3.\n"


def tiny_options(root: pathlib.Path, out: pathlib.Path) -> list[str]:
    """The recipe for CamVid, brought down to the tiny one."""
    recipe = tiny_run.recipe(epochs=1)
    changed = {**recipe.as_data(), "multipliers": {"^logits": 2.0}}
    for name in ("name", "steps", "weights"):
        del changed[name]
    sets = [f"--set={name}={json.dumps(value)}" for name, value in changed.items()]
    first = ["train", "--recipe=camvid_mobilenet_v2", f"--data={root}", f"--out={out}"]
    return [*first, *sets]


@pytest.mark.slow
def test_train_on_other_classes_says_what_is_kept_of_a_model(
    run: Run, options: dict[str, object], tmp_path: pathlib.Path
) -> None:
    recipe = tiny_run.recipe()
    before = keras_deeplab.DeepLabV3Plus(**recipe.arguments, classes=7, crop_size=33)
    before.save("before.keras")
    command = tiny_options(tmp_path / "data", tmp_path / "run")
    # A step so small that a kept weight is still to be recognised.
    small = ["--set=learning_rate=1e-9", "--set=batch_norm=frozen"]
    result = run(*command, *small, "--weights", "before.keras")
    assert result.exit_code == 0, result.output
    kept = "Note: before.keras is of another number of classes: of the "
    assert kept in result.stderr
    assert "all are kept but the 2 of the classifier" in result.stderr
    after = keras_deeplab.load_model("run/last.keras")
    assert after.class_names == tiny_run.CLASSES
    for new, old in zip(after.weights, before.weights, strict=True):
        if new.path.startswith("logits"):
            assert new.shape != old.shape
        else:
            np.testing.assert_allclose(new, old, atol=1e-6, err_msg=new.path)


@pytest.mark.slow
def test_train_works_on_jax_without_tensorflow(
    backends_python: str, options: dict[str, object], tmp_path: pathlib.Path
) -> None:
    # As a machine on which TensorFlow is not installed.
    hidden = tmp_path / "hidden" / "tensorflow"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('hidden')")
    out = tmp_path / "run"
    command = [*tiny_options(tmp_path / "data", out), "--weights=none"]
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": os.pathsep.join([str(hidden.parent), str(ROOT)]),
    }
    done = subprocess.run(
        [backends_python, "-m", "keras_deeplab_cli", *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Best: epoch 1" in done.stdout
    report = json.loads((out / "report.json").read_text())
    assert report["versions"]["backend"] == "jax"
    assert report["epochs_done"] == 1
    model = keras_deeplab.load_model(out / "best.keras")
    scores = keras_deeplab.evaluate(
        model, tmp_path / "data/val/images", tmp_path / "data/val/masks"
    )
    # Made on JAX, and the same on TensorFlow.
    found = report["scores"]["best"]["mean_iou"]
    assert found == pytest.approx(scores.mean_iou, abs=2e-3)
