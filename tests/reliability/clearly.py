"""What a clear error is."""

import re
from collections.abc import Callable
from typing import TypeVar

from typer.testing import Result

_Answer = TypeVar("_Answer")

# Of typer, for a word that is no number.
_USAGE = re.compile(r"(?:Usage: |Try |╭─ Error |│|╰)")


def told_clearly(result: Result) -> str:
    """Checks that a command failed with a sentence on one line, and returns it.

    A word that typer refuses is in its frame, whose lines break at the terminal's end.
    """
    crash = None if isinstance(result.exception, SystemExit) else result.exception
    assert crash is None, repr(crash)
    assert result.exit_code in (1, 2)
    lines = [line for line in result.stderr.split("\n") if line.strip()]
    framed = [line for line in lines if _USAGE.match(line)]
    assert len(framed) == len(lines) or len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    return " ".join(lines)


def names_the_argument(error: Exception, name: str) -> bool:
    """Whether an error of ours says which argument is wrong, and what it was."""
    return f"`{name}`" in str(error) and "Received: " in str(error)


def outcome(act: Callable[[], _Answer]) -> tuple[_Answer | None, str]:
    """What something gives, or what it says when it refuses."""
    try:
        return act(), ""
    except (ValueError, OSError) as error:
        return None, str(error)
