import io
import json
import pathlib
from collections.abc import Callable

import pytest
from rich.console import Console
from typer.testing import Result

from keras_deeplab_cli import output
from tests.cli.weights.conftest import OWN, SHA256, TINY

Run = Callable[..., Result]
Rows = Callable[..., None]

FIRST_USE = "pinned on first use"
TABLE = [
    "tiny_voc|DeepLabV3|mobilenet_v2|pascal_voc|16|mIoU 61.5|not stated|" + FIRST_USE,
    "stated_cityscapes|LRASPP|mobilenet_v3_small|cityscapes|16|-|11 bytes|sha256",
    "xception65_imagenet|-|xception65|imagenet|-|-|447MB|" + FIRST_USE,
]


def cells(result: Result) -> list[str]:
    """The rows of a table, which has two spaces or more between its cells."""
    lines = [line for line in result.stdout.splitlines() if "_" in line]
    return [
        "|".join(cell.strip() for cell in line.split("  ") if cell.strip())
        for line in lines
    ]


def test_list_shows_every_row_and_makes_no_folder(run: Run, home: pathlib.Path) -> None:
    result = run("weights", "list")
    assert result.exit_code == 0, result.output
    assert cells(result) == [f"{row}|no" for row in TABLE]
    assert not home.exists()


def test_list_after_a_first_use_shows_that_it_is_here_and_pinned(run: Run) -> None:
    assert run("weights", "fetch", "tiny_voc").exit_code == 0
    first, *others = cells(run("weights", "list"))
    assert first == TABLE[0].removesuffix(" on first use") + "|yes"
    assert others == [f"{row}|no" for row in TABLE[1:]]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--dataset", "cityscapes"], TABLE[1:2]),
        (["--model", "deeplabv3"], TABLE[:1]),
        (["--dataset", "pascal_voc", "--model", "DeepLabV3"], TABLE[:1]),
    ],
    ids=" ".join,
)
def test_list_with_a_filter_shows_what_fits(
    words: list[str], expected: list[str], run: Run
) -> None:
    assert cells(run("weights", "list", *words)) == [f"{row}|no" for row in expected]


def test_list_with_a_filter_that_nothing_fits_names_those_there_are(run: Run) -> None:
    result = run("weights", "list", "--dataset", "coco")
    assert result.exit_code == 2
    assert "only cityscapes, imagenet, pascal_voc" in result.stderr
    assert "only DeepLabV3, LRASPP" in run("weights", "list", "--model", "x").stderr


def test_list_as_json_holds_all_that_is_known(
    run: Run, tmp_path: pathlib.Path, home: pathlib.Path
) -> None:
    words = ("--dataset", "pascal_voc", "--json", "list.json")
    assert run("weights", "list", *words).exit_code == 0
    (row,) = json.loads((tmp_path / "list.json").read_text())
    state = {"path": str(home / "tiny.keras"), "here": False, "checked_by": None}
    assert {key: row.pop(key) for key in state} == state
    scores = {name: row.pop(name) for name in ("published", "measured")}
    assert row == {k: v for k, v in TINY.items() if k not in scores}
    for name, unstated in (("published", "command"), ("measured", "source")):
        assert scores[name] == [{**score, unstated: None} for score in TINY[name]]


def test_list_on_a_narrow_terminal_keeps_the_names_whole(
    run: Run, monkeypatch: pytest.MonkeyPatch, rows: Rows
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=70)
    monkeypatch.setattr(output, "_stdout", terminal)
    name = "deeplabv3_mobilenet_v2_050_pascal_voc_trainval"
    rows({**TINY, "name": name})
    assert run("weights", "list").exit_code == 0
    assert isinstance(terminal.file, io.StringIO)
    assert f"{name} " in terminal.file.getvalue()


def info(run: Run, name: str) -> dict[str, str]:
    """What `info` shows, with the lines of a block joined."""
    result = run("weights", "info", name)
    assert result.exit_code == 0, result.output
    shown: dict[str, list[str]] = {}
    title = ""
    for line in result.stdout.splitlines():
        title = line[:16].strip() or title
        shown.setdefault(title, []).append(line[16:])
    return {title: "\n".join(texts) for title, texts in shown.items()}


def test_info_tells_all_of_a_row(run: Run, home: pathlib.Path) -> None:
    shown = info(run, "tiny_voc")
    classes = shown.pop("Classes")
    assert classes.startswith("21, pascal_voc: background, aeroplane, ")
    assert shown == {
        "Name": "tiny_voc",
        "Model": "DeepLabV3",
        "Arguments": "backbone='mobilenet_v2'\natrous_rates=()\nalpha=0.35",
        "Data set": "pascal_voc",
        "Origin": "somebody",
        "Licence": "CC-BY-4.0",
        "Output stride": "16",
        "Training crop": "33 x 65",
        "Preprocessing": "symmetric",
        "Published": "mIoU 61.5 on VOC val; one scale; https://example.org/paper\n"
        "mIoU 62.75 on VOC val; flips; https://example.org/paper",
        "Measured here": "mIoU 60.25 on VOC val; ours; `keras-deeplab evaluate ...`",
        "File": "tiny.keras, its size is not stated",
        "From": "https://example.org/tiny.keras",
        "Digest": "none is published: the first file is trusted, and its SHA-256 "
        "pinned",
        "On this machine": f"{home / 'tiny.keras'} (not yet)",
        "Use it": 'keras_deeplab.DeepLabV3(weights="tiny_voc")',
    }


def test_info_of_a_fetched_file_tells_where_it_is_and_its_digest(
    run: Run, home: pathlib.Path
) -> None:
    run("weights", "fetch", "tiny_voc", "stated_cityscapes")
    pinned, stated = info(run, "tiny_voc"), info(run, "stated_cityscapes")
    assert pinned["Digest"] == f"sha256 {SHA256}, pinned on first use"
    assert pinned["On this machine"] == str(home / "tiny.keras")
    assert stated["Digest"] == f"sha256 {SHA256}"
    assert stated["File"] == "stated.keras, 11 bytes (11 bytes)"
    assert not stated.keys() & {"Published", "Measured here"}


def test_info_of_a_backbone_tells_a_model_that_takes_it(run: Run) -> None:
    shown = info(run, "xception65_imagenet")
    assert shown["Model"] == "none: a backbone alone"
    assert shown["Use it"] == (
        'keras_deeplab.DeepLabV3Plus(backbone="xception65", '
        'weights="xception65_imagenet", classes=21)'
    )
    assert shown["File"] == "backbone.tar.gz, 447MB, not stated to the byte"
    assert not shown.keys() & {"Classes", "Output stride", "Training crop"}


def test_info_of_weights_in_the_package_says_so(run: Run, rows: Rows) -> None:
    rows(OWN)
    shown = info(run, "own_voc")
    assert shown["From"] == "the package itself"
    assert "keras_deeplab/assets/own.keras" in shown["On this machine"]


@pytest.mark.parametrize("command", ["info", "fetch", "verify"])
def test_name_that_is_not_there_is_answered_with_the_nearest(
    command: str, run: Run, home: pathlib.Path
) -> None:
    result = run("weights", command, "tiny_vok")
    assert result.exit_code == 2
    assert "Did you mean tiny_voc? Received: NAME 'tiny_vok'" in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert not home.exists()
