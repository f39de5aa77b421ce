import io
import json
import pathlib
import shutil
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import Result

from keras_deeplab.data import label_colors, write_labels
from keras_deeplab_cli import output
from tests.data import trees

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Three pairs, the left half door and the right half wall."""
    root = tmp_path / "data"
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    labels = np.zeros((60, 80), "uint8")
    labels[:, :40] = 1
    for index in range(3):
        photo = Image.new("RGB", (80, 60), (200, 200, 200))
        photo.save(root / "images" / f"{index}.png")
        write_labels(root / "masks" / f"{index}.png", labels)
    trees.put_text(root, "classes.txt", "wall\ndoor\n")
    return root


def test_audit_of_clean_data_prints_and_writes_and_exits_with_0(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    result = run("audit", folder, "--out", "report")
    assert result.exit_code == 0, result.output
    row = next(line for line in result.stdout.splitlines() if "door" in line)
    assert row.replace("│", " ").split() == ["1", "door", "50.000", "3", *["1.000"] * 2]
    assert "3 pairs; 0.00 % of the pixels are ignored." in result.stdout
    assert "Broken: 0. Suspicious: 0." in result.stdout
    content = json.loads((tmp_path / "report" / "audit.json").read_text())
    assert content["findings"] == []
    assert [row["pixels"] for row in content["classes"]] == [7200, 7200]
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "audit.json",
        "audit.png",
    ]


def test_contact_sheet_shows_photo_mask_and_overlay(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    assert run("audit", folder).exit_code == 0
    with Image.open(tmp_path / "audit.png") as image:
        sheet = np.array(image)
    door = label_colors(2)[1]
    # Tiles of 320 x 240, 8 apart, below a caption of 22.
    assert sheet.shape[1] == 3 * 328 + 8
    for row in range(3):
        y = row * (240 + 22 + 8) + 22 + 100
        assert (sheet[y, 8 + 100] == 200).all()
        assert (sheet[y, 336 + 100] == door).all()
        assert (sheet[y, 336 + 250] == 0).all()
        blend = np.round(0.45 * 200 + 0.55 * door)
        assert np.abs(sheet[y, 664 + 100] - blend).max() <= 1


def test_audit_of_broken_data_names_file_and_mend_and_exits_with_1(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    Image.new("RGB", (80, 60), (0, 90, 0)).save(folder / "masks" / "1.png")
    (folder / "images" / "2.png").write_bytes(b"no photo")
    result = run("audit", folder, "--out", "report")
    assert result.exit_code == 1, result.output
    assert "BROKEN: Masks of colours (1)" in result.stdout
    assert f"{folder / 'masks' / '1.png'} holds colours" in result.stdout
    assert "→ Turn each colour into its label" in result.stdout
    assert "Broken: 2. Suspicious: 0." in result.stdout
    content = json.loads((tmp_path / "report" / "audit.json").read_text())
    assert content["broken"] is True
    assert [finding["files"] for finding in content["findings"]] == [
        [str(folder / "images" / "2.png")],
        [str(folder / "masks" / "1.png")],
    ]
    with Image.open(tmp_path / "report" / "audit.png") as image:
        sheet = np.array(image)
    # The broken pairs come first; a mask of colours is shown as it is.
    assert (sheet[122, 336 + 100] == (0, 90, 0)).all()
    # The photo that is none, whose mask is good, is an empty tile.
    assert (sheet[122 + 270, 8 + 100] == 225).all()
    assert (sheet[122 + 270, 336 + 100] == (128, 0, 0)).all()


def test_audit_lists_a_few_files_and_says_where_the_others_are(
    run: Run, folder: pathlib.Path
) -> None:
    for index in range(3, 8):
        Image.new("RGB", (80, 60)).save(folder / "images" / f"{index}.png")
    result = run("audit", folder)
    assert result.exit_code == 1
    assert "Images without a mask (5)" in result.stdout
    assert result.stdout.count("has no mask") == 3
    assert "and 2 more: see audit.json" in result.stdout


def test_audit_takes_classes_and_the_ignored_label(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (folder / "classes.txt").unlink()
    trees.put_text(tmp_path, "names.txt", "wall\n")
    words = ["audit", folder, "--classes", "names.txt"]
    assert "One label more than there are names" in run(*words).stdout
    result = run(*words, "--ignore-label", "1")
    assert result.exit_code == 0, result.output
    assert "50.00 % of the pixels are ignored" in result.stdout


def test_audit_of_a_dataset_knows_its_files_and_classes(
    run: Run, tmp_path: pathlib.Path
) -> None:
    trees.camvid(tmp_path / "camvid")
    words = ["audit", "camvid", "--dataset", "camvid", "--split", "train"]
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert "SUSPICIOUS: Not the published split" in result.stdout
    assert "2 pairs; 33.33 % of the pixels are ignored." in result.stdout
    (tmp_path / "camvid" / "trainannot" / "0001TP_006690.png").unlink()
    assert run(*words).exit_code == 1


def test_audit_on_a_terminal_shows_a_bar(
    run: Run, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(output, "_stderr", terminal)
    assert run("audit", folder).exit_code == 0
    assert "Auditing" in terminal.file.getvalue()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "'nowhere' does not exist"),
        (["empty"], "The classes have no names"),
        (["data", "--classes", "no.txt"], "'no.txt' does not exist"),
        (["data", "--dataset", "camvid"], "--dataset and --split go together"),
        (
            ["data", "--dataset", "voc", "--split", "train"],
            "--dataset must be one of 'voc2012'",
        ),
        (
            ["data", "--dataset", "camvid", "--split", "train"],
            "The dataset is not there",
        ),
        (["data", "--ignore-label", "1"], "--ignore-label must be above the classes"),
        (["data", "--out", "data/classes.txt"], "cannot be made a folder"),
        (
            ["data", "--dataset", "x", "--split", "y", "--classes", "data/classes.txt"],
            "--classes is not for a --dataset",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_audit_that_cannot_start_says_why_and_exits_with_2(
    words: list[str],
    message: str,
    run: Run,
    folder: pathlib.Path,
    tmp_path: pathlib.Path,
) -> None:
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    result = run("audit", *words)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_audit_of_folders_without_any_pair_cannot_start(
    run: Run, folder: pathlib.Path
) -> None:
    shutil.rmtree(folder / "masks")
    (folder / "masks").mkdir()
    Image.new("L", (80, 60)).save(folder / "masks" / "other.png")
    result = run("audit", folder)
    assert result.exit_code == 2
    assert "no mask for 0.png, 1.png, 2.png; no image for other.png" in result.stderr
