"""Files and folders that are there whole or not at all."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

# Characters of a name, of at most 4 bytes each.
_KEPT = 50


def write_atomically(
    path: str | os.PathLike[str], write: Callable[[BinaryIO], object]
) -> None:
    """Writes a file beside its place and renames it when it is complete.

    If writing fails, whatever was at `path` before stays and nothing else is left. A
    process that is killed can leave a hidden file, `.*.part.*`, which nothing reads.

    Args:
        path: The file to write. Its folder must exist.
        write: Called with a file open for binary writing.

    Raises:
        OSError: If the file cannot be written. The message names it.
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
    part = _part_of(path)
    try:
        with _naming(path, part):
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
    part = _part_of(path)
    try:
        with _naming(path, part):
            part.mkdir()
            yield part
            os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _part_of(path: Path) -> Path:
    """A hidden name of the same ending that no other writer has.

    Not the process's number, which is 1 in every container. Of the file's own name only
    the end, because a name may be as long as the disk allows: 255 bytes.
    """
    return path.with_name(f".{secrets.token_hex(4)}.part.{path.name[-_KEPT:]}")


@contextlib.contextmanager
def _naming(path: Path, part: Path) -> Iterator[None]:
    """Has an error of the disk name the file that was to be written."""
    try:
        yield
    except OSError as error:
        name = str(part if error.filename is None else error.filename)
        if error.errno is None or not name.startswith(str(part)):
            raise
        meant = name.replace(str(part), str(path), 1)
        raise OSError(error.errno, error.strerror, meant) from error
