"""The shape of the package, read from its syntax trees."""

import ast
import pathlib
import sys
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "keras_deeplab"
# The command line is a package beside it; see its docstring.
CLI = "keras_deeplab_cli"
FILES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / CLI).rglob("*.py")])

# From the ground up: a unit imports from itself and from the levels below it.
LEVELS = (
    (
        "_atomic_file",
        "_file_lock",
        "_class_names",
        "_extras",
        "_serialization",
        "_types",
        "_version",
    ),
    ("layers",),
    ("backbones",),
    ("models",),
    ("data", "metrics", "weights"),
    ("inference",),
    # An export is compared, and a training scored, on photos as everyone does it.
    ("demo", "export", "training"),
    (CLI,),
    ("__init__", "__main__"),
)
LEVEL = {unit: level for level, units in enumerate(LEVELS) for unit in units}

KERAS_ONLY = {unit for units in LEVELS[:4] for unit in units}
KNOWS_TENSORFLOW = {"data", "export", "training"}
# Files of TensorFlow 1, which only TensorFlow reads; imported when one is opened.
TENSORFLOW_FILES = {
    PACKAGE / "weights" / "tf1_checkpoint.py",
    PACKAGE / "weights" / "frozen_graph.py",
    PACKAGE / "weights" / "need_tensorflow.py",
}
# Only TensorFlow's own operations export fused; see the file.
TENSORFLOW_LAYERS = PACKAGE / "layers" / "_tensorflow.py"

every_file = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def unit_of(path: pathlib.Path) -> str:
    package, unit, *_ = path.relative_to(ROOT).parts
    return CLI if package == CLI else unit.removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module the code imports, at the top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from a import b` may mean the module `a.b`: seen as such, it tells more.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_units(tree: ast.AST) -> set[str]:
    """The units of this package that the code imports."""
    parts = [[*name.split("."), ""] for name in imported(tree)]
    own = {second for first, second, *_ in parts if first == PACKAGE.name}
    # Any other name comes from `keras_deeplab/__init__.py`.
    units = {unit if unit in LEVEL else "__init__" for unit in own}
    return units | {first for first, *_ in parts if first == CLI}


def third_parties(tree: ast.AST) -> set[str]:
    roots = {name.split(".")[0] for name in imported(tree)}
    return roots - set(sys.stdlib_module_names) - {PACKAGE.name, CLI}


@every_file
def test_own_imports_in_any_file_point_down(path: pathlib.Path) -> None:
    unit = unit_of(path)
    assert unit in LEVEL, f"Give {unit} a level in LEVELS."
    for other in own_units(ast.parse(path.read_text())) - {unit}:
        assert LEVEL[other] < LEVEL[unit], f"{unit} must not import {other}."


@every_file
def test_foreign_imports_in_any_file_stay_where_allowed(path: pathlib.Path) -> None:
    unit, roots = unit_of(path), third_parties(ast.parse(path.read_text()))
    if path == TENSORFLOW_LAYERS:
        assert roots == {"tensorflow"}
    elif unit in KERAS_ONLY:
        assert roots <= {"keras", "numpy"}
    elif unit not in KNOWS_TENSORFLOW and path not in TENSORFLOW_FILES:
        assert "tensorflow" not in roots


@every_file
def test_tensorflow_layers_in_any_file_are_imported_lazily(path: pathlib.Path) -> None:
    top = ast.Module(body=[], type_ignores=[])
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            top.body.append(node)
    assert not any("_tensorflow" in name.split(".") for name in imported(top))


@every_file
def test_statements_in_any_file_hold_no_assert_and_no_relative_import(
    path: pathlib.Path,
) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: raise an error."
        relative = isinstance(node, ast.ImportFrom) and node.level
        assert not relative, f"line {node.lineno}: write the whole module name."
