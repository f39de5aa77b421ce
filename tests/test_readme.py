"""What the README says is what the package does."""

import pathlib
import re
from typing import Any

import keras
import numpy as np
import pytest
import typer

from keras_deeplab.models import model_table
from keras_deeplab.weights import manifest
from keras_deeplab_cli import app

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_table_of_the_readme_is_that_of_the_models() -> None:
    rows = [
        f"| {row.model} | {row.backbone} | {row.output_stride} "
        f"| {row.parameters / 1e6:.2f} | {row.multiply_adds / 1e9:.2f} |"
        for row in model_table()
    ]
    assert rows == re.findall(r"^\| (?:DeepLab|LRASPP).*\|$", README, re.M)


@pytest.mark.slow
def test_python_of_the_readme_runs(
    data_dir: pathlib.Path, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    for source, name in (
        (data_dir / "models/deeplab/deeplabv3_257_mv_gpu.tflite", None),
        (ROOT / "keras_deeplab/assets/cat.jpg", "photo.jpg"),
    ):
        (tmp_path / (name or source.name)).symlink_to(source)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    rng = np.random.default_rng(0)
    names: dict[str, Any] = {
        "images": rng.integers(0, 256, (2, 33, 33, 3)),
        "masks": rng.integers(0, 4, (2, 33, 33)),
    }
    exec(code, names)
    assert names["labels"].shape == (300, 451)
    # Mostly the cat.
    assert np.bincount(names["labels"].ravel()).argmax() == 8
    assert names["faster"].output_stride == 16
    assert isinstance(names["model"].history, keras.callbacks.History)


def commands() -> list[str]:
    """Every command of the README, the guides it names, and the manifest."""
    guides = (
        "docs/inference.md",
        "docs/usecases.md",
        "docs/weights.md",
        "examples/serving/README.md",
    )
    pages = README + "".join((ROOT / g).read_text(encoding="utf-8") for g in guides)
    written = re.findall(r"(?:^|`)(keras-deeplab (?:[^`\n\\]|\\\n)+)", pages, re.M)
    scores = [score for row in manifest().values() for score in row.measured]
    return sorted({*written, *(score.command or "" for score in scores)})


@pytest.mark.parametrize("line", commands())
def test_command_that_is_written_exists_and_takes_its_options(line: str) -> None:
    # Commands of measured scores name the folder that they are for.
    command_line = line.removeprefix("cd $KERAS_DEEPLAB_TEST_DATA && ")
    program, *words = command_line.partition("#")[0].replace("\\\n", "").split()
    assert program == "keras-deeplab"
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = {name: option for option in command.params for name in option.opts}
    for option in filter(lambda word: word.startswith("--"), words):
        assert option in known
    required = {option for option in known if known[option].required}
    assert {option for option in required if option.startswith("--")} <= {*words}
