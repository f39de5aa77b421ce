"""Which commands no test runs: the table that CONTRIBUTING.md has for readers."""

import dataclasses
import fnmatch
import re

from tests.docs.pages import read

_TABLE = re.compile(
    r"^\| page \| begins with \| why \|\n\| .*\|\n((?:\|.*\|\n)+)", re.M
)


@dataclasses.dataclass(frozen=True)
class Row:
    page: str
    beginning: str
    why: str

    def holds(self, page: str, command: str) -> bool:
        return fnmatch.fnmatch(page, self.page) and command.startswith(self.beginning)


def rows() -> list[Row]:
    (table,) = _TABLE.findall(read("CONTRIBUTING.md"))
    lines = (line.strip("| ").split(" | ") for line in table.splitlines())
    return [Row(page, begins.strip("`"), why) for page, begins, why in lines]


def is_run(page: str, command: str) -> bool:
    return not any(row.holds(page, command) for row in rows())
