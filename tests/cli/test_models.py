import json
import pathlib
from collections.abc import Callable

import pytest
from typer.testing import Result

from keras_deeplab import models

ROW = models.ModelRow(
    model="DeepLabV3",
    backbone="mobilenet_v2",
    output_stride=16,
    size=513,
    parameters=2_113_000,
    multiply_adds=2_750_000_000,
)


def test_models_prints_and_writes_the_table(
    run: Callable[..., Result],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(models, "model_table", lambda: iter([ROW]))
    result = run("models", "--json", "models.json")
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if "DeepLabV3" in line]
    cells = [cell.strip() for cell in line.split("│")]
    assert cells[1:-1] == ["DeepLabV3", "mobilenet_v2", "16", "513", "2.11", "2.75"]
    (row,) = json.loads((tmp_path / "models.json").read_text())
    assert models.ModelRow(**row) == ROW
