"""What the package says of its extras."""

import ast
import pathlib

from keras_deeplab import _extras
from tests.conftest import ROOT

FILES = [
    path
    for package in ("keras_deeplab", "keras_deeplab_cli")
    for path in sorted((ROOT / package).rglob("*.py"))
]


def extras_of_setup() -> set[str]:
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    (table,) = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "extras_require"
    )
    return {ast.literal_eval(key) for key in table.keys}


def test_command_names_the_package_and_the_clone() -> None:
    assert _extras.how_to_install("onnx") == (
        "pip install 'keras-deeplab[onnx]', or in a clone pip install -e '.[onnx]'"
    )


def test_every_extra_that_an_error_names_is_there() -> None:
    named = {
        ast.literal_eval(node.args[0])
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", None) == "how_to_install"
    }
    assert {"onnx", "crf", "tfds"} <= named <= extras_of_setup()


def test_no_other_place_spells_the_command() -> None:
    own = pathlib.Path(_extras.__file__)
    others = [path for path in FILES if path != own]
    assert len(others) == len(FILES) - 1
    for path in others:
        assert "pip install 'keras-deeplab[" not in path.read_text(encoding="utf-8")
