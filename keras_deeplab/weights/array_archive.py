"""Reads zip archives whose own word on their sizes is not trusted."""

import io
import zipfile
from pathlib import Path

# In the archive at the end of the TFLite files that this package writes.
OWN_FILE = "keras_deeplab.json"
# Ten times what the largest official MobileNetV2 takes, packed or not.
MOST_BYTES = 2**27

# The other methods unpack without a bound.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpacks one file of an archive, in memory no larger than `MOST_BYTES`.

    Args:
        archive: An open archive.
        name: The file's name in it.

    Returns:
        Its content.

    Raises:
        ValueError: If it is too large, or packed by an unusual method. A damaged
            archive raises anything.
    """
    member = archive.getinfo(name)
    if member.file_size > MOST_BYTES or member.compress_type not in _METHODS:
        raise ValueError(f"{name!r} is too large or packed in an unusual way")
    with archive.open(member) as file:
        # Without the number, zipfile unpacks all before it compares the size.
        return file.read(member.file_size)


def is_exported(path: Path) -> bool:
    """Whether a TFLite file is one that `keras_deeplab.export` wrote."""
    try:
        with zipfile.ZipFile(path) as archive:
            return OWN_FILE in archive.namelist()
    except Exception:
        # There is no archive; or it is damaged, and raises anything.
        return False


def read_appended_labels(content: bytes) -> tuple[str, ...] | None:
    """Reads the label file in the archive that TFLite files carry at their end.

    Args:
        content: A whole file.

    Returns:
        The lines of the archive's first text file; `None` if there is none.

    Raises:
        ValueError: As `read_member` does.
    """
    file = io.BytesIO(content)
    if not zipfile.is_zipfile(file):
        return None
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith(".txt"):
                return tuple(read_member(archive, name).decode().strip().splitlines())
    return None
