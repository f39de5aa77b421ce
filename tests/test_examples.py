"""The examples run as their first lines say."""

import importlib.util
import pathlib
from types import ModuleType

import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]


def example(name: str) -> ModuleType:
    path = ROOT / "examples" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_segment_of_a_cat_finds_a_cat(
    data_dir: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = data_dir / "models/deeplab/deeplabv3_257_mv_gpu.tflite"
    photo = ROOT / "keras_deeplab/assets/cat.jpg"
    out = tmp_path / "cat.png"
    example("segment").main([str(weights), str(photo), str(out)])
    assert capsys.readouterr().out.splitlines()[0].endswith("cat")
    with Image.open(out) as picture:
        assert picture.size[0] == 451
