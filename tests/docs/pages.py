"""The pages that readers see, and what stands in them to be run."""

import dataclasses
import pathlib
import re
import textwrap
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).parents[2]
PAGES = tuple(
    path.relative_to(ROOT).as_posix()
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "examples/**/*.md")
    for path in sorted(ROOT.glob(pattern))
    if "node_modules" not in path.parts
)
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
_INLINE = re.compile(r"(?<!`)`(keras-deeplab(?: [^`]+)?)`(?!`)")


@dataclasses.dataclass(frozen=True)
class Step:
    """A block of Python, or one line to type, and where it stands."""

    language: str
    text: str
    line: int


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def steps(page: str) -> Iterator[Step]:
    """All that a page tells its reader to run, in order.

    A fence without a language is what one types in a shell.
    """
    text = read(page)
    for fence in _FENCE.finditer(text):
        block = textwrap.dedent(fence[3])
        line = text.count("\n", 0, fence.start(3))
        if fence[2] == "python":
            yield Step("python", "\n" * line + block, line + 1)
        elif not fence[2]:
            yield from (Step("shell", each, line + 1) for each in _typed(block))


def mentions(page: str) -> list[str]:
    """Commands in the text, perhaps without their arguments."""
    return [" ".join(each.split()) for each in _INLINE.findall(read(page))]


def _typed(block: str) -> Iterator[str]:
    """Lines without comments, each with those that continue it."""
    for line in re.sub(r"\\\n\s*", "", block).splitlines():
        command = re.sub(r"(?:^|\s)#.*", "", line).strip()
        # One that begins with a quote goes on with an argument.
        if command and not command.startswith('"'):
            yield command
