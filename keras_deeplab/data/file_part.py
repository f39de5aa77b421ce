"""Files that lie inside other files."""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class FilePart:
    """A file that lies, as it is, inside another: an image in a shard.

    Args:
        path: The file that holds it.
        start: Where its bytes begin.
        size: How many there are.
        name: What it is called.
    """

    path: Path
    start: int
    size: int
    name: str

    def __str__(self) -> str:
        return f"{self.path}[{self.name}]"


# A file of its own, or one inside another.
Source = str | os.PathLike[str] | FilePart


def open_source(source: Source) -> BinaryIO:
    """Opens a file, or one inside another.

    Args:
        source: What to open.

    Returns:
        The file, open for reading bytes, to be closed by the caller.

    Raises:
        OSError: If the file cannot be opened or read, or is shorter than it was.
    """
    if not isinstance(source, FilePart):
        return open(source, "rb")
    with open(source.path, "rb") as file:
        file.seek(source.start)
        content = file.read(source.size)
    if len(content) < source.size:
        raise OSError(f"{source} ends too early: {source.path} was cut short")
    return io.BytesIO(content)
