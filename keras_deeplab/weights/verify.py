"""Whether a file on disk is the one it should be."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from keras_deeplab.weights.cache import how_to_trust_anew, read_pin
from keras_deeplab.weights.remote_file import RemoteFile

# What files begin with, by the ending of their names. Where no digest is known, this
# tells them from the page that a network sends in a file's place.
_BEGINNINGS: Mapping[str, bytes] = MappingProxyType(
    {
        ".gz": b"\x1f\x8b",
        ".tgz": b"\x1f\x8b",
        ".h5": b"\x89HDF",
        ".zip": b"PK",
        ".keras": b"PK",
    }
)
_SHOWN_BYTES = 16


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


def expected_digest(remote: RemoteFile, path: Path) -> tuple[str, str] | None:
    """Finds what the digest of a file must be.

    Args:
        remote: What is stated of the file.
        path: Its place in the cache; a digest trusted earlier is pinned beside it.

    Returns:
        The algorithm and the digest, or `None` if none is stated and none was trusted.

    Raises:
        DownloadError: If the pin is damaged.
    """
    if remote.algorithm is not None and remote.digest is not None:
        return remote.algorithm, remote.digest
    pin = read_pin(path)
    return None if pin is None else ("sha256", pin)


def find_fault(
    file: Path, remote: RemoteFile, *, path: Path | None = None
) -> str | None:
    """Compares a file with what is stated of it: size, format and digest.

    Of its bytes only the first few are made sense of, which tell the format.

    Args:
        file: The file to look at.
        remote: What is stated of it.
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
    if remote.bytes is not None and size != remote.bytes:
        return f"it has {size} bytes, not {remote.bytes}"
    if fault := _find_wrong_format(file, remote.name):
        return fault
    expected = expected_digest(remote, path)
    if expected is None or (found := file_digest(file, expected[0])) == expected[1]:
        return None
    fault = f"its {expected[0]} is {found}, not {expected[1]}"
    if remote.digest is None:
        fault += f" as when it was first trusted. {how_to_trust_anew(path)}"
    return fault


def _find_wrong_format(file: Path, name: str) -> str | None:
    expected = _BEGINNINGS.get(Path(name).suffix.lower(), b"")
    with open(file, "rb") as content:
        found = content.read(_SHOWN_BYTES)
    if found.startswith(expected):
        return None
    return f"it begins with {found!r}, not with {expected!r} as such a file does"
