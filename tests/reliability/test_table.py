"""The table of `docs/reliability.md`: it names tests that exist, and all of these."""

import ast
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
# Case, what happens, test.
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `(tests/\S+\.py)::(\w+)` \|$", PAGE, re.M)
HERE = "tests/reliability/"


def names_in(path: pathlib.Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
    return {name for name in names if name.startswith("test_")}


def test_every_row_of_the_table_is_read() -> None:
    titles = PAGE.count("\n| Case | What happens | Test |\n| --- | --- | --- |\n")
    assert len(ROWS) == len(re.findall(r"^\|", PAGE, re.M)) - 2 * titles


def test_every_test_of_the_table_exists_once() -> None:
    for _, _, path, name in ROWS:
        assert name in names_in(ROOT / path), f"{path}::{name}"
    named = [(path, name) for _, _, path, name in ROWS]
    assert len(set(named)) == len(named)


def test_every_test_of_this_folder_has_a_row() -> None:
    named = {(path, name) for _, _, path, name in ROWS}
    for path in sorted((ROOT / HERE).glob("test_*.py")):
        if path != pathlib.Path(__file__):
            for name in names_in(path):
                assert (HERE + path.name, name) in named


def test_counts_at_the_top_are_those_of_the_table() -> None:
    here = sum(path.startswith(HERE) for _, _, path, _ in ROWS)
    assert (
        f"{len(ROWS)} cases: {here} in `tests/reliability`, {len(ROWS) - here} beside "
        "the code that they are about." in " ".join(PAGE.split())
    )
