"""Files and folders that are there whole or not at all."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
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
    with part_beside(Path(path)) as part, open(part, "wb") as file:
        write(file)


@contextlib.contextmanager
def part_beside(path: Path) -> Iterator[Path]:
    """Does what `write_atomically` does, for writers that want a path.

    Args:
        path: The file to write.

    Yields:
        Where to write it, with the same ending.
    """
    part = path.with_name(f".{os.getpid()}.part.{path.name}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """Does what `part_beside` does, for a folder that is not there or is empty.

    Args:
        path: The folder to write. The one above it must exist.

    Yields:
        Where to write its files.
    """
    part = path.with_name(f".{os.getpid()}.part.{path.name}")
    part.mkdir()
    try:
        yield part
        os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
