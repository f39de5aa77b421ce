"""What the README says is what the package does; tests/docs has its commands."""

import pathlib
import re
from typing import Any

import keras
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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
