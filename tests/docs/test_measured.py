"""What was measured stands beside the command that measures it again."""

import re
from collections.abc import Iterator

import pytest

from tests.docs.pages import PAGES, ROOT, read

HEADING = re.compile(r"^## ", re.M)
# With the emphasis that the pages give it where numbers follow.
MEASURED = re.compile(r"\*measured\b|^measured\b", re.I | re.M)
# What the table of all benchmarks has, and what one types elsewhere.
COMMAND = re.compile(
    r"\b(?:keras-deeplab \w+ -|(?:python|pytest) (?:benchmarks|scripts|tests)/)"
)


def sections(page: str) -> Iterator[str]:
    """The parts between headings of the second level."""
    yield from HEADING.split(read(page))


@pytest.mark.parametrize("page", PAGES)
def test_section_that_tells_what_was_measured_has_a_command(page: str) -> None:
    for section in filter(MEASURED.search, sections(page)):
        title = section.splitlines()[0]
        assert COMMAND.search(section), f"{page}, {title}: by which command?"


def test_benchmark_of_any_kind_is_in_the_table() -> None:
    page = read("docs/benchmarks.md")
    for script in (ROOT / "benchmarks").glob("*.py"):
        if "__main__" in script.read_text(encoding="utf-8"):
            assert f"python benchmarks/{script.name}" in page
