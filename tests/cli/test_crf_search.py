import importlib
import json
import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from keras_deeplab.inference import CRFRanges, write_crf, write_labels
from keras_deeplab.layers.crf_presets import CRF_PRESETS
from tests.inference.test_crf import noisy_photo

Run = Callable[..., Result]


@pytest.fixture
def options(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Two noisy photos, and fewer parameters than those of the papers."""
    small = CRFRanges(
        w_bilateral=(5, 5, 1),
        theta_alpha=(20, 20, 10),
        theta_beta=(20, 40, 20),
        iterations=1,
    )
    # The functions hide their modules.
    for module, name, value in (
        ("keras_deeplab.inference.search_crf", "CRF_RANGES", {"v1": small}),
        ("keras_deeplab_cli.crf_search", "_STEPS", (2.0, 1.0)),
    ):
        monkeypatch.setattr(importlib.import_module(module), name, value)
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    for index in range(2):
        Image.fromarray(noisy_photo(24, 40, index)).save(images / f"{index}.png")
        truth = np.zeros((24, 40), "uint8")
        truth[:, :20] = 1
        write_labels(masks / f"{index}.png", truth)
    words = ["crf-search", "--weights", "any", "--crf-accuracy", "mobile"]
    return [*words, "--images", images, "--masks", masks]


def test_search_prints_and_writes_what_segment_takes(
    run: Run, options: list[object], tmp_path: pathlib.Path
) -> None:
    files = ["--out", "crf.json", "--plot", "crf.png"]
    result = run(*options, *files, "--full", "--photos", "1")
    assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "crf.json").read_text())
    assert len(told["trials"]) == 2
    assert told["photos"] == ["0.png"]
    assert told["mean_iou"] > told["plain_mean_iou"]
    assert (
        f"Mean IoU {100 * told['plain_mean_iou']:.2f} % without a CRF, "
        f"{100 * told['mean_iou']:.2f} % with the best" in result.stdout
    )
    assert "Wrote crf.png" in result.stdout
    with Image.open(tmp_path / "crf.png") as picture:
        assert picture.mode == "RGB"
    photo = tmp_path / "images" / "1.png"
    words = ["segment", photo, "--weights", "any", "--crf", "crf.json"]
    result = run(*words)
    assert result.exit_code == 0, result.output


def test_crf_of_a_search_that_found_none_to_be_better_is_told_of(
    run: Run, options: list[object], tmp_path: pathlib.Path
) -> None:
    photo = tmp_path / "images" / "0.png"
    facts = {"mean_iou": 0.5, "plain_mean_iou": 0.75}
    write_crf("worse.json", CRF_PRESETS["v1"], **facts)
    write_crf("better.json", CRF_PRESETS["v1"], **{**facts, "mean_iou": 0.8})
    words = ["segment", photo, "--weights", "any", "--crf-accuracy", "mobile", "--crf"]
    assert run(*words, "worse.json").stderr == (
        "Note: No CRF was better than none in the search that wrote worse.json: mean "
        "IoU 50.00 % with the best, 75.00 % without.\n"
    )
    assert run(*words, "better.json").stderr == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--preset", "v9"], "--preset must be one of 'v1'. Received: --preset 'v9'"),
        (["--out", "crf.txt"], "--out must end in .json: crf.txt"),
        (["--plot", "nowhere/crf.png"], "no folder for --plot nowhere/crf.png"),
    ],
)
def test_search_that_cannot_start_says_why(
    words: list[str], message: str, run: Run, options: list[object]
) -> None:
    result = run(*options, *words)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
