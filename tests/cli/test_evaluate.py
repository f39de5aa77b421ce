import dataclasses
import html
import json
import pathlib
import re
import shlex
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from keras_deeplab.inference import (
    Measures,
    evaluate,
    evaluate_data,
    paired_data,
    score_data,
    write_crf,
    write_labels,
)
from keras_deeplab.layers import DenseCRF
from keras_deeplab.layers.crf_presets import CRF_PRESETS
from keras_deeplab.training import RECIPES, find_data
from tests.data import trees
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
    assert {name: scores[name] for name in ("weights", "photos", "incomplete")} == {
        "weights": "any",
        "photos": 2,
        "incomplete": False,
    }
    assert scores["data"] == f"{options[3]} with {options[5]}"
    assert scores["command"].startswith("keras-deeplab evaluate --images ")
    assert scores["command"].endswith("--json scores.json")
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


def test_evaluate_scores_the_photos_that_train_holds_back(
    run: Run, tmp_path: pathlib.Path
) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    trees.put_text(tmp_path, "classes.txt", "a\nb\nc\nd")
    for index in range(5):
        Image.new("RGB", (8, 4), "red").save(tmp_path / "images" / f"{index}.png")
        # Only the last two say so.
        label = np.full((4, 8), 1 if index > 2 else 2, "uint8")
        write_labels(tmp_path / "masks" / f"{index}.png", label)
    recipe = RECIPES["camvid_mobilenet_v2"]
    held_back = find_data(recipe, tmp_path, validation=2).val
    folders = ["--images", "images", "--masks", "masks", "--weights", "any"]
    result = run("evaluate", *folders, "--validation", "2", "--json", "s.json")
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["photos"] == len(held_back) == 2
    assert scores["data"] == "images with masks, the last 2 by name"
    assert scores["mean_iou"] == score_data(ColorModel(), held_back).mean_iou == 1
    result = run("evaluate", *folders, "--validation", "5")
    assert result.exit_code == 2
    assert "--validation must leave photos to train on, of 5 in all" in result.stderr


def test_report_tells_how_a_fixed_input_sees_photos_and_what_it_cannot_measure(
    run: Run, options: list[object], model: ColorModel, tmp_path: pathlib.Path
) -> None:
    # As a `LiteModel` of a file that answers with labels.
    model.height, model.width, model.crop_size = 17, 33, None
    model.output_stride, model.output_kind = 1, "labels"
    assert run("evaluate", *options, "--report", "a.html").exit_code == 0
    text = (tmp_path / "a.html").read_text()
    facts = dict(re.findall(r"<tr><th>(.*?)</th><td>(.*?)</td></tr>", text))
    assert (
        html.unescape(facts["Photos are shown"])
        == "scaled down to fit into the model's input, 17 x 33 pixels, and padded"
    )
    assert "Output stride" not in facts
    assert facts["Calibration"].startswith("not measured: the file answers with labels")


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


def test_evaluate_takes_what_segment_wrote_for_masks(
    run: Run, options: list[object], tmp_path: pathlib.Path
) -> None:
    photos = options[3]
    words = ["--weights", "any", "--confidence", "--out", "said"]
    assert run("segment", photos, *words).exit_code == 0
    result = run("evaluate", *options[:4], "--masks", "said")
    assert result.exit_code == 0, result.output
    assert "Mean IoU 100.00 %, pixel accuracy 100.00 %" in result.stdout


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
        ({"--report": "nowhere/page.html"}, "no folder for --report"),
        ({"--report": "page.pdf"}, "--report must end in .html: page.pdf"),
        ({"--trimap": "two"}, "two is not like 1,2,4,8"),
        ({"--trimap": "²"}, "² is not like 1,2,4,8"),
        ({"--trimap": "1," + 5000 * "9"}, "is not like 1,2,4,8"),
        (
            {"--trimap": "4,2"},
            "--trimap must be rising, and at least one. Received: --trimap 4,2",
        ),
        ({"--output-stride": "7"}, "8, 16, 32"),
        ({"--crf": "v9"}, "Error: --crf must be one of 'v1', 'v2'"),
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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Given: neither"),
        (["--images", "photos"], "Given: --images"),
        (["--dataset", "voc2012", "--split", "val"], "Given: --dataset, --split"),
        (
            ["--images", "photos", "--masks", "photos", "--split", "val"],
            "Given: --images, --masks, --split",
        ),
    ],
)
def test_evaluate_of_neither_folders_nor_a_dataset_is_a_usage_error(
    words: list[str], message: str, run: Run, photos: pathlib.Path
) -> None:
    result = run("evaluate", "--weights", "any", *words)
    assert result.exit_code == 2
    assert "Give either --images and --masks, or --dataset" in result.stderr
    assert message in result.stderr


def test_evaluate_measures_boundaries_and_calibration_where_asked(
    run: Run, options: list[object], tmp_path: pathlib.Path
) -> None:
    words = ["--trimap", "1,3", "--calibration", "--json", "scores.json"]
    result = run("evaluate", *options, *words)
    assert result.exit_code == 0, result.output
    data = paired_data(ColorModel(), options[3], options[5])
    measures = Measures(trimap=(1, 3), calibration=True)
    found = evaluate_data(ColorModel(), data, measures=measures)
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert [row["width"] for row in scores["trimap"]] == [1, 3]
    for row in scores["trimap"]:
        assert row["mean_iou"] == found.trimap[row["width"]].mean_iou
        percent = f"{100 * row['mean_iou']:.2f}"
        assert [str(row["width"]), percent] in [
            line.replace("│", " ").split() for line in result.stdout.splitlines()
        ]
    assert found.calibration is not None
    calibration = scores["calibration"]
    assert calibration["pixels"] == list(found.calibration.pixels)
    assert calibration["log_loss"] == found.calibration.log_loss
    assert f"negative log likelihood {calibration['log_loss']:.4f}" in result.stdout
    assert None in calibration["accuracy"]


def test_evaluate_with_a_crf_tells_the_score_without_it(
    run: Run, options: list[object], model: ColorModel, tmp_path: pathlib.Path
) -> None:
    words = ["--crf", "v1", "--crf-accuracy", "mobile", "--trimap", "2"]
    result = run("evaluate", *options, *words, "--json", "scores.json")
    assert result.exit_code == 0, result.output
    assert len(model.seen) == 2
    plain = "Without the CRF: Mean IoU 70.37 %, pixel accuracy 78.95 %"
    assert plain in result.stdout
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["without_crf"]["mean_iou"] == pytest.approx((100 / 180 * 2 + 1) / 3)
    assert scores["without_crf"]["trimap"][0]["width"] == 2


def test_evaluate_writes_a_report_with_the_command_that_repeats_it(
    run: Run, options: list[object], tmp_path: pathlib.Path
) -> None:
    words = ["--report", "my report.html", "--flip", "--crf", "v1"]
    result = run("evaluate", *options, *words)
    assert result.exit_code == 0, result.output
    assert "Wrote my report.html" in result.stdout
    text = (tmp_path / "my report.html").read_text()
    (command,) = re.findall(r"<pre>(.*)</pre>", text, re.S)
    program, name, *rest = shlex.split(html.unescape(command))
    assert (program, name) == ("keras-deeplab", "evaluate")
    assert sorted(rest) == sorted(map(str, [*options, *words]))
    (tmp_path / "my report.html").unlink()
    assert run("evaluate", *rest).exit_code == 0
    assert (tmp_path / "my report.html").read_text() == text
    facts = dict(re.findall(r"<tr><th>(.*?)</th><td>(.*?)</td></tr>", text))
    assert facts["Weights"] == "any"
    assert facts["Data"].endswith(": 2 photos")
    assert (
        facts["Photos are shown"]
        == "longer side at most 33 pixels, at the scale 1, each mirrored too"
    )
    assert facts["CRF"].startswith("accurate, w_bilateral 4, ")
    assert facts["Classes"] == "4, of which 3 occur in the truth"
    assert facts["Pixels that count"] == "380; those to ignore are left out"
