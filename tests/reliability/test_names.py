"""Files of any name: with spaces, of any letters or none, long, and full of traps."""

import io
import json
import os
import pathlib
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

import keras_deeplab
from keras_deeplab.data import load_folder, load_shards, read_labels, write_shards
from keras_deeplab_cli import main
from tests.inference.color_model import ColorModel
from tests.reliability.clearly import told_clearly
from tests.reliability.trees import write_pairs

NAMES = {
    "spaces": "a photo of  a cat",
    "letters": "café 漢字 🎉",
    "not unicode": os.fsdecode(b"caf\xe9"),
    "leading dash": "--weights",
    "newline": "one\ntwo",
    "markup": "[bold]{0}%s[-]",
    "quotes": 'it\'s "one"',
    "dots": "photo.labels.v1",
    "long": "n" * 243,
}

# Of the fixture `colors`.
COLORS = ("--weights", "any")

every_name = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)


@pytest.fixture
def named(tmp_path: pathlib.Path, name: str) -> pathlib.Path:
    """Pairs of which one has the name, in a folder of the name."""
    root = tmp_path / name[:100]
    write_pairs(root, count=2)
    for folder in ("images", "masks"):
        (root / folder / "0.png").rename(root / folder / f"{name}.png")
    return root


def run_program(*words: object) -> tuple[int, bytes]:
    """The exit code, and what is printed where ASCII alone is known, and strictly."""
    printed = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["keras-deeplab", *map(str, words)])
        patch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="ascii"))
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), printed.getvalue()


@every_name
def test_photo_of_any_name_is_segmented_under_that_name(
    name: str,
    named: pathlib.Path,
    colors: ColorModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(named / "images")
    photos = ("--", f"{name}.png", "1.png")
    code, _ = run_program("segment", *COLORS, "--out", named, *photos)
    assert code == 0
    truth = read_labels(named / "masks" / f"{name}.png")
    np.testing.assert_array_equal(read_labels(named / f"{name}.labels.png"), truth)
    assert (named / f"{name}.overlay.png").is_file()


@every_name
def test_data_of_any_name_are_audited_scored_and_put_into_shards(
    name: str, named: pathlib.Path, tmp_path: pathlib.Path, colors: ColorModel
) -> None:
    scores = keras_deeplab.evaluate(colors, named / "images", named / "masks")
    assert scores.mean_iou == 1
    data = load_folder(named)
    shards = tmp_path / f"{name[:100]} shards"
    write_shards(data, shards)
    loaded = load_shards(shards)
    for index in range(len(data)):
        assert loaded.pairs[index].image.name == data.pairs[index].image.name
        np.testing.assert_array_equal(
            loaded.read(index).labels, data.read(index).labels
        )


@every_name
def test_names_are_printed_and_drawn_whatever_they_are(
    name: str, named: pathlib.Path
) -> None:
    (named / "masks" / f"{name}.png").write_bytes(b"broken")
    code, printed = run_program("audit", named, "--out", named)
    assert code == 1
    assert b"Broken: 1." in printed
    told = json.loads((named / "audit.json").read_text())
    (broken,) = [row for row in told["findings"] if row["severity"] == "broken"]
    assert broken["files"] == [str(named / "masks" / f"{name}.png")]
    with Image.open(named / "audit.png") as sheet:
        sheet.load()


def test_photo_whose_results_would_have_too_long_names_fails_alone(
    tmp_path: pathlib.Path, colors: ColorModel, run: Callable[..., Result]
) -> None:
    write_pairs(tmp_path, count=2)
    name = "n" * 246
    (tmp_path / "images" / "0.png").rename(tmp_path / "images" / f"{name}.png")
    result = run("segment", "images", *COLORS, "--out", "out")
    assert result.exit_code == 1
    title, line = result.stderr.splitlines()
    assert title == "1 of 2 photos failed:"
    assert "File name too long" in line
    assert sorted(os.listdir("out")) == ["1.labels.png", "1.overlay.png"]
    # What is only read may have any name that the disk takes.
    scores = run("evaluate", "--images", "images", "--masks", "images", *COLORS)
    assert "holds colours" in told_clearly(scores)
