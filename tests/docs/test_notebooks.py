"""The notebooks run, in order and from the top, and hold no outputs.

Their cells are run here, one after the other, and not by Jupyter, which would start a
process and load TensorFlow for each. A notebook's numbers stand in one cell, tagged
`parameters`; after it, these values take their place.
"""

import ast
import importlib.util
import json
import pathlib
import tempfile
from typing import Any

import pytest
from PIL import Image

from tests.conftest import lack

ROOT = pathlib.Path(__file__).parents[2]
NOTEBOOKS = sorted(path.stem for path in ROOT.glob("examples/*.ipynb"))
SMALL: dict[str, dict[str, Any]] = {
    "crf": {
        "SIDE": 65,
        "RANGES": {
            "w_bilateral": (3, 4, 1),
            "theta_alpha": (30, 30, 10),
            "theta_beta": (3, 4, 1),
        },
    },
    "fine_tune": {"SIZE": 65, "EPOCHS": 2},
    "ship_to_mobile": {"SIZE": (65, 65), "SECONDS": 0.01, "LEAST": 0.5},
}

EVERY_NOTEBOOK = pytest.mark.parametrize("name", NOTEBOOKS)


def cells(name: str) -> list[Any]:
    path = ROOT / "examples" / f"{name}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def run(source: str, where: str, names: dict[str, Any]) -> Any:
    """What a cell shows: the value of its last line, if that is an expression."""
    tree = ast.parse(source, where)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, where, "exec"), names)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), where, "exec"), names)
    return eval(compile(ast.Expression(last.value), where, "eval"), names)


@EVERY_NOTEBOOK
# Made small, an export is smaller than the training crop, and no CRF need help.
@pytest.mark.filterwarnings("ignore:No CRF was better:UserWarning")
@pytest.mark.filterwarnings("ignore::keras_deeplab.inference.ImagePoolingWarning")
def test_notebook_runs_and_shows_pictures(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names: dict[str, Any] = {"__name__": name}
    shown = []
    for index, cell in enumerate(cells(name)):
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            shown.append(run(source, f"{name}, cell {index}", names))
            if "parameters" in cell["metadata"].get("tags", ()):
                assert names.keys() >= SMALL[name].keys()
                names.update(SMALL[name])
    assert any(isinstance(each, Image.Image) for each in shown)
    # What it wrote is in a folder of its own.
    assert not list(here.iterdir())


@EVERY_NOTEBOOK
def test_notebook_is_valid_and_holds_no_outputs(name: str) -> None:
    if not importlib.util.find_spec("nbformat"):
        lack("DOCS", "No nbformat: pip install 'keras-deeplab[docs]'")
    import nbformat

    nbformat.validate(
        nbformat.read(
            ROOT / "examples" / f"{name}.ipynb", as_version=nbformat.NO_CONVERT
        )
    )
    for cell in cells(name):
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_notebooks_are_the_three_that_the_readme_names() -> None:
    assert sorted(SMALL) == NOTEBOOKS
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"(examples/{name}.ipynb)" in readme for name in NOTEBOOKS)
