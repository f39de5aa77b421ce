"""Whether a file on disk is the one it should be."""

import hashlib
from pathlib import Path

from keras_deeplab.weights.cache import pin_path, read_pin
from keras_deeplab.weights.remote_file import RemoteFile


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Computes the digest of a file.

    Args:
        path: The file.
        algorithm: One that `hashlib` knows.

    Returns:
        The digest in hexadecimal.

    Raises:
        OSError: If the file cannot be read.
    """
    with open(path, "rb") as file:
        # A check of sameness: systems that forbid MD5 for security allow this.
        digest = hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=False)
        )
    return digest.hexdigest()


def expected_digest(row: RemoteFile, path: Path) -> tuple[str, str] | None:
    """Finds what the digest of a file must be.

    Args:
        row: What is stated of the file.
        path: Its place in the cache; a digest trusted earlier is pinned beside it.

    Returns:
        The algorithm and the digest, or `None` if none is stated and none was trusted.

    Raises:
        DownloadError: If the pin is damaged.
    """
    if row.algorithm is not None and row.digest is not None:
        return row.algorithm, row.digest
    pin = read_pin(path)
    return None if pin is None else ("sha256", pin)


def find_fault(file: Path, row: RemoteFile, *, path: Path | None = None) -> str | None:
    """Compares a file with what is stated of it, without making sense of its bytes.

    Args:
        file: The file to look at.
        row: What is stated of it.
        path: Its place in the cache, where that is not `file`.

    Returns:
        What is wrong with it, or `None`.

    Raises:
        OSError: If the file cannot be read, or the pin is damaged.
    """
    path = path or file
    size = file.stat().st_size
    if not size:
        return "it is empty"
    if row.bytes is not None and size != row.bytes:
        return f"it has {size} bytes, not {row.bytes}"
    expected = expected_digest(row, path)
    if expected is None or (found := file_digest(file, expected[0])) == expected[1]:
        return None
    fault = f"its {expected[0]} is {found}, not {expected[1]}"
    if row.digest is None:
        fault += (
            f" as when it was first trusted (to trust anew, delete {pin_path(path)})"
        )
    return fault
