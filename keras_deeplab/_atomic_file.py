"""Files that are there whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_atomically(
    path: str | os.PathLike[str], write: Callable[[BinaryIO], object]
) -> None:
    """Writes a file beside its place and renames it when it is complete.

    If writing fails, whatever was at `path` before stays and nothing else is left.

    Args:
        path: The file to write. Its folder must exist.
        write: Called with a file open for binary writing.

    Raises:
        OSError: If the file cannot be written.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            write(file)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
