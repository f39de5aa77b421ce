"""The public datasets by their names, wherever these are listed."""

import re

import pytest
from typer.testing import CliRunner

from keras_deeplab.data import DATASETS
from keras_deeplab_cli import app
from tests.docs.pages import read


def test_tables_name_every_dataset_and_its_splits() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", read("docs/evaluate.md"), re.M)
    splits = {name: ", ".join(spec.splits) for name, spec in DATASETS.items()}
    count = len(splits)
    assert dict(rows[:count]) == splits
    assert [name for name, _ in rows[count : 2 * count]] == list(splits)


@pytest.mark.parametrize("command", ["evaluate", "audit"])
def test_help_names_every_dataset_in_their_order(command: str) -> None:
    text = CliRunner().invoke(app, [command, "--help"]).stdout
    *first, last = DATASETS
    listed = f"{', '.join(first)} or {last}"
    assert listed in " ".join(text.replace("│", " ").split())
