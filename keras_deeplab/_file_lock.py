"""One process at a time for a file."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# Seconds between two looks at a lock that another process holds.
_PATIENCE = 0.05

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: BinaryIO) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: BinaryIO) -> bool:
        try:
            # flock, not lockf: the latter does not keep threads of one process apart.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            problem = f"The disk knows no locks ({error.strerror})"
            raise OSError(error.errno, problem, file.name) from error
        return True

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def lock_file(path: str | os.PathLike[str], *, wait: bool = True) -> Iterator[None]:
    """Waits until no other process or thread works on a file, then keeps them off.

    The lock is the operating system's: it ends with its holder, however that ends, so
    none can be stale. (A lock that is a file's mere existence outlives a killed
    process, and whether that process still lives can only be guessed.)

    Args:
        path: The file. It need not exist, its folder must. The lock is on a hidden
            file beside it, which stays: were it deleted, a process that waits on the
            deleted one and another that made a new one would both go on.
        wait: Whether to wait; or else to raise at once.

    Yields:
        Nothing; the lock is held until the block ends.

    Raises:
        BlockingIOError: If another works on the file, and `wait` is not set.
        OSError: If the lock's file cannot be written, or its disk knows no locks.
    """
    with open(lock_of(Path(path)), "ab") as file:
        # Looking again and again can be interrupted from the keyboard everywhere.
        while not _try_lock(file):
            if not wait:
                raise BlockingIOError(f"Another process works on {path}.")
            time.sleep(_PATIENCE)
        try:
            yield
        finally:
            _unlock(file)


def lock_of(path: Path) -> Path:
    """The hidden file that holds the lock of a file."""
    return path.with_name(f".{path.name}.lock")
