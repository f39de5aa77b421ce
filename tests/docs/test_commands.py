"""What the pages tell a reader to type is there."""

import importlib
import re

import pytest
import typer

from keras_deeplab.weights import manifest
from keras_deeplab_cli import app
from tests.docs import not_run
from tests.docs.pages import PAGES, ROOT, mentions, read, steps

EVERY_PAGE = pytest.mark.parametrize("page", PAGES)
MEASURED = "cd $KERAS_DEEPLAB_TEST_DATA && "


def typed() -> list[tuple[str, str]]:
    return [
        (page, step.text)
        for page in PAGES
        for step in steps(page)
        if step.language == "shell"
    ]


def ours() -> list[str]:
    """Every whole command of the pages and of the manifest."""
    scores = [score for row in manifest().values() for score in row.measured]
    lines = [line for _, line in typed() if line.startswith("keras-deeplab")]
    measured = [(score.command or "").removeprefix(MEASURED) for score in scores]
    return sorted({*lines, *measured})


def unknown(line: str) -> tuple[set[str], set[str]]:
    """Options that a command does not have, and those that it needs but lacks."""
    program, *words = line.split()
    assert program == "keras-deeplab"
    command = typer.main.get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
    known = {name: option for option in command.params for name in option.opts}
    given = {word for word in words if word.startswith("--")}
    needed = {name for name, option in known.items() if option.required}
    return given - {*known}, {each for each in needed if each[:2] == "--"} - given


@pytest.mark.parametrize("line", ours())
def test_command_that_is_written_exists_and_takes_its_options(line: str) -> None:
    assert unknown(line) == (set(), set())


@EVERY_PAGE
def test_command_that_a_page_mentions_exists_and_takes_its_options(page: str) -> None:
    for line in mentions(page):
        assert unknown(line)[0] == set(), line


@EVERY_PAGE
def test_file_that_a_command_of_a_page_names_is_there(page: str) -> None:
    folders = "benchmarks|examples|scripts|tests|keras_deeplab"
    for _, line in filter(lambda each: each[0] == page, typed()):
        for path in re.findall(rf"(?:^|[ =])((?:{folders})/[\w./*-]+)", line):
            assert [*ROOT.glob(path)], line


@EVERY_PAGE
def test_name_that_a_page_writes_out_is_there(page: str) -> None:
    for path in re.findall(r"`(keras_deeplab(?:\.\w+)+)(?<!\.json)[`(]", read(page)):
        module, *names = path.split(".")
        found = importlib.import_module(module)
        for name in names:
            assert hasattr(found, name), path
            found = getattr(found, name)


def test_table_of_what_is_not_run_has_no_row_too_many() -> None:
    for row in not_run.rows():
        assert any(row.holds(page, line) for page, line in typed()), row
        for path in re.findall(r"tests/[\w/]+\.py", row.why):
            assert (ROOT / path).is_file(), row


def test_command_of_any_program_is_run_or_listed_with_the_reason() -> None:
    left = [
        (page, line)
        for page, line in typed()
        if not line.startswith("keras-deeplab ") and not_run.is_run(page, line)
    ]
    assert not left, (
        "Mark Python with ```python; list other programs in CONTRIBUTING.md."
    )
