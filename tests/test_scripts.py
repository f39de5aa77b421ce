"""What the scripts hand on; .ci/run runs them for real."""

import os
import pathlib
import shutil
import subprocess

import pytest

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
