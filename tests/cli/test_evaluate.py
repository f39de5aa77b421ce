import dataclasses
import json
import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from typer.testing import Result

from keras_deeplab.inference import evaluate, write_crf, write_labels
from keras_deeplab.layers import DenseCRF
from keras_deeplab.layers.crf_presets import CRF_PRESETS
from tests.inference.color_model import ColorModel

Run = Callable[..., Result]


@pytest.fixture
def options(photos: pathlib.Path, tmp_path: pathlib.Path) -> list[object]:
    """Two photos: one half red, rightly so, and one blue, half of it wrongly."""
    (photos / "c.jpg").unlink()
    masks = tmp_path / "masks"
    masks.mkdir()
    truth = np.zeros((10, 20), "uint8")
    truth[:, :10] = 1
    write_labels(masks / "a.png", truth)
    truth[:] = 3
    truth[:5] = 0
    truth[:1] = 255
    write_labels(masks / "b.png", truth)
    return ["--weights", "any", "--images", photos, "--masks", masks]


def test_evaluate_prints_and_writes_the_scores(
    run: Run, options: list[object], tmp_path: pathlib.Path
) -> None:
    result = run("evaluate", *options, "--json", "scores.json")
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["confusion"] == [
        [100, 0, 0, 80],
        [0, 100, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 100],
    ]
    assert scores["class_names"] == ["background", "red", "green", "blue"]
    assert scores["class_iou"] == [100 / 180, 1.0, None, 100 / 180]
    assert scores["mean_iou"] == pytest.approx((100 / 180 * 2 + 1) / 3)
    assert scores["pixel_accuracy"] == pytest.approx(300 / 380)
    assert "Mean IoU 70.37 %, pixel accuracy 78.95 %" in result.stdout
    confused = next(s for s in result.stdout.splitlines() if "0 background" in s)
    assert confused.split() == ["0", "background", "56", "44"]


def test_evaluate_with_a_crf_prints_its_scores(run: Run, options: list[object]) -> None:
    # One of no weight at all changes nothing.
    plain = {"w_bilateral": 0.0, "w_gaussian": 0.0}
    parameters = dataclasses.replace(CRF_PRESETS["v1"], **plain)
    write_crf("none.json", parameters)
    result = run("evaluate", *options, "--crf", "none.json")
    assert "Mean IoU 70.37 %, pixel accuracy 78.95 %" in result.stdout
    model = ColorModel()
    images, masks = options[3], options[5]
    scores = evaluate(model, images, masks, crf=DenseCRF("v1", accuracy="mobile"))
    result = run("evaluate", *options, "--crf", "v1", "--crf-accuracy", "mobile")
    assert f"Mean IoU {100 * scores.mean_iou:.2f} %" in result.stdout


def test_evaluate_ignores_the_label_it_is_told(
    run: Run, options: list[object], tmp_path: pathlib.Path
) -> None:
    result = run("evaluate", *options, "--ignore-label", "254")
    assert result.exit_code == 2
    assert "b.png holds 255, but labels go from 0 to 3, and 254 is" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--masks": "nowhere"}, "'nowhere' does not exist"),
        ({"--masks": "photos/a.png"}, "is a file"),
        ({"--weights": "broken"}, "A tensor is missing"),
        ({"--json": "nowhere/scores.json"}, "no folder for --json"),
        ({"--output-stride": "7"}, "8, 16, 32"),
        ({"--crf": "v9"}, "--crf v9: `crf` must be one of 'v1', 'v2'"),
        ({"--crf": "nowhere.json"}, "No such file or directory: 'nowhere.json'"),
        ({"--crf-accuracy": "best"}, "accurate, mobile"),
    ],
)
def test_evaluate_that_cannot_start_says_why_and_exits_with_2(
    changes: dict[str, str], message: str, run: Run, options: list[object]
) -> None:
    given = dict(zip(options[::2], options[1::2], strict=True)) | changes
    result = run("evaluate", *[word for pair in given.items() for word in pair])
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""


def test_evaluate_with_nothing_but_ignored_pixels_says_so_and_exits_with_2(
    run: Run, options: list[object], tmp_path: pathlib.Path
) -> None:
    for mask in (tmp_path / "masks").iterdir():
        write_labels(mask, np.full((10, 20), 255, "uint8"))
    result = run("evaluate", *options)
    assert result.exit_code == 2
    assert "Every pixel of the masks has the label to ignore" in result.stderr
    assert result.stdout == ""


def test_evaluate_without_folders_is_a_usage_error(run: Run) -> None:
    result = run("evaluate", "--weights", "any")
    assert result.exit_code == 2
    assert "Missing option" in result.stderr
