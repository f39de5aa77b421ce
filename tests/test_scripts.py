"""What the scripts hand on; .ci/run runs them for real."""

import os
import pathlib
import runpy
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

import keras_deeplab
from tests.inference.color_model import ColorModel
from tests.inference.test_crf import noisy_photo

ROOT = pathlib.Path(__file__).parents[1]


STREET = [
    "{clone}/keras_deeplab/assets/promenade.jpg",
    "--weights",
    "deeplabv3plus_mobilenet_v2_camvid",
]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], STREET),
        (["a photo.jpg"], ["a photo.jpg"]),
        (["b.jpg", "--size", "99"], ["b.jpg", "--size", "99"]),
        (["--size", "99"], [*STREET, "--size", "99"]),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_demo_from_any_folder_segments_what_is_named_there(
    words: list[str], expected: list[str], tmp_path: pathlib.Path
) -> None:
    clone, here = tmp_path / "the clone", tmp_path / "here"
    here.mkdir()
    (clone / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "demo", clone / "scripts")
    # In place of the installation and of the program, which says how it was called.
    (clone / "scripts" / "install").touch()
    program = clone / ".venv" / "bin" / "keras-deeplab"
    program.parent.mkdir(parents=True)
    said = '"$PWD" "$KERAS_DEEPLAB_TEST_DATA" "$@"'
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' {said}\n")
    program.chmod(0o755)
    environment = {**os.environ}
    environment.pop("KERAS_DEEPLAB_TEST_DATA", None)
    output = subprocess.run(
        ["bash", "../the clone/scripts/demo", *words],
        cwd=here,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert output.splitlines() == [
        str(here),
        str(tmp_path / "shared" / "data"),
        "segment",
        "--out",
        str(clone / "demo"),
        *(word.format(clone=clone) for word in expected),
    ]


def test_picture_of_the_crf_shows_a_row_for_each_photo(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(keras_deeplab, "load_model", lambda source: ColorModel())
    for name in ("a.png", "b.png"):
        Image.fromarray(noisy_photo(24, 40)).save(tmp_path / name)
    script = runpy.run_path(str(ROOT / "scripts" / "crf_picture.py"))
    photos = [str(tmp_path / name) for name in ("a.png", "b.png")]
    path = tmp_path / "crf.png"
    script["main"](["--out", str(path), "--weights", "any", *photos])
    pixels = np.array(Image.open(path).convert("RGB")).astype(int)
    red = (abs(pixels - (200, 30, 30)).sum(-1) < 60).any(axis=1)
    # Where labels changed: in two rows, with a gap between them.
    assert np.count_nonzero(np.diff(red.astype(int)) == 1) >= 2
    assert capsys.readouterr().out.count("of the labels changed") == 2


def test_picture_of_a_report_is_that_of_its_page_without_what_is_left_white(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras_deeplab, "load_model", lambda source: ColorModel())
    shot = Image.new("RGB", (1130, 3000), "white")
    shot.paste("blue", (20, 20, 400, 976))
    shot.save(tmp_path / "shot.png")
    browser = tmp_path / "browser"
    browser.write_text(
        "#!/bin/sh\n"
        'for word; do case "$word" in\n'
        f'--screenshot=*) cp "{tmp_path}/shot.png" "${{word#*=}}" ;;\n'
        f'file://*) cp "${{word#file://}}" "{tmp_path}/page.html" ;;\n'
        "esac; done\n"
    )
    browser.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(browser))
    script = runpy.run_path(str(ROOT / "scripts" / "report_picture.py"))
    script["main"](["--out", str(tmp_path / "a.png")])
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (760, round(1000 * 760 / 1130))
    assert "Worst photos" in (tmp_path / "page.html").read_text()
