"""Unpacking archives that may be hostile."""

import gzip
import os
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO, Any

from keras_deeplab.weights.archive_member import ArchiveMember
from keras_deeplab.weights.bounded_stream import BoundedStream
from keras_deeplab.weights.download_error import DownloadError

_Reader = Callable[[Path, int], Iterator[ArchiveMember]]

# Official archives hold under ten files, under 1 GiB, packed to no less than a tenth.
_MOST_MEMBERS = 1000
_MOST_BYTES = 4 << 30
_MOST_RATIO = 100
# The ratio says nothing of small ones: an empty tar of 10 KiB packs to 45 bytes.
_FREE_BYTES = 16 << 20
_CHUNK = 1 << 18


def extract(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> list[Path]:
    """Unpacks an archive into a new folder, all of it or nothing.

    Only files and folders are unpacked, under names that lead nowhere else; the bytes,
    the members and the ratio of packing are bounded. Modes and owners are not kept.

    Args:
        path: A file ending in `.tar.gz`, `.tgz`, `.tar` or `.zip`.
        folder: The folder to make. There may be an empty one.

    Returns:
        The files, in the archive's order.

    Raises:
        DownloadError: If the archive is damaged or is not to be trusted, if `folder`
            holds something, or if the files cannot be written.
    """
    path, folder = Path(path), Path(folder).absolute()
    reader = _reader_of(path)
    try:
        limit = _limit_of(path)
        with _new_folder(folder) as beside:
            places = _write_all(reader(path, limit), beside, limit)
    # The standard library's readers raise whatever they meet in a damaged archive.
    except Exception as error:
        raise DownloadError(
            f"`path` cannot be unpacked: {str(error) or repr(error)}. "
            f"Received: path={str(path)!r}, folder={str(folder)!r}"
        ) from error
    return [folder / place for place in places]


def _reader_of(path: Path) -> _Reader:
    for ending, reader in _READERS.items():
        if path.name.lower().endswith(ending):
            return reader
    raise DownloadError(
        f"`path` must be a file ending in {', '.join(_READERS)}. "
        f"Received: path={str(path)!r}"
    )


def _limit_of(path: Path) -> int:
    return min(_MOST_BYTES, max(_FREE_BYTES, _MOST_RATIO * path.stat().st_size))


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DownloadError("`folder` must be new or empty")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # On the same disk, for the renaming. The outer one is for its owner alone.
    with tempfile.TemporaryDirectory(
        prefix=f".{folder.name}.", dir=folder.parent
    ) as beside:
        inner = Path(beside) / "new"
        inner.mkdir()
        yield inner
        if folder.exists():
            folder.rmdir()
        inner.rename(folder)


def _write_all(
    members: Iterable[ArchiveMember], folder: Path, limit: int
) -> list[PurePosixPath]:
    files = []
    for count, member in enumerate(members, start=1):
        if count > _MOST_MEMBERS:
            raise DownloadError(f"it has more than {_MOST_MEMBERS} members")
        place = member.place()
        if member.kind == "folder":
            (folder / place).mkdir(parents=True, exist_ok=True)
            continue
        limit -= _write(member, folder / place, limit)
        files.append(place)
    return files


def _write(member: ArchiveMember, path: Path, limit: int) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    # "x": of two members with one name, also but for its case, neither wins.
    with member.open() as source, open(path, "xb") as file:
        while chunk := source.read(_CHUNK):
            done += len(chunk)
            if done > limit:
                raise DownloadError("it unpacks to more bytes than it may")
            file.write(chunk)
    return done


def _read_tar(path: Path, limit: int) -> Iterator[ArchiveMember]:
    with open(path, "rb") as file:
        yield from _read_tar_stream(file, limit)


def _read_gzipped_tar(path: Path, limit: int) -> Iterator[ArchiveMember]:
    with gzip.open(path, "rb") as file:
        yield from _read_tar_stream(file, limit)


def _read_tar_stream(
    file: IO[bytes] | gzip.GzipFile, limit: int
) -> Iterator[ArchiveMember]:
    stream: Any = BoundedStream(file, limit)
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        for info in archive:
            if not 0 <= info.size <= limit:
                claim = f"its member {info.name!r} claims {info.size} bytes"
                raise DownloadError(f"{claim}; it may unpack to {limit}")
            yield ArchiveMember(
                info.name, _tar_kind(info), partial(_open_in_tar, archive, info)
            )
    # gzip's check sum comes last, after the padding.
    while stream.read(_CHUNK):
        pass


def _open_in_tar(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(info)
    if file is None:
        raise DownloadError(f"its member {info.name!r} has no bytes")
    return file


def _tar_kind(info: tarfile.TarInfo) -> str:
    kind = _TAR_KINDS.get(info.type, f"of a kind that is not unpacked ({info.type!r})")
    return "a sparse file" if info.issparse() else kind


def _read_zip(path: Path, limit: int) -> Iterator[ArchiveMember]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            # The name before zipfile has made it harmless in its own way.
            yield ArchiveMember(
                info.orig_filename, _zip_kind(info), partial(archive.open, info)
            )


def _zip_kind(info: zipfile.ZipInfo) -> str:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or a device"
    if info.flag_bits & 1 or info.compress_type not in _ZIP_PACKINGS:
        return "encrypted, or packed in a rare way"
    return "folder" if info.is_dir() else "file"


_TAR_KINDS: Mapping[bytes, str] = MappingProxyType(
    {
        tarfile.REGTYPE: "file",
        tarfile.AREGTYPE: "file",
        tarfile.DIRTYPE: "folder",
        tarfile.SYMTYPE: "a symbolic link",
        tarfile.LNKTYPE: "a hard link",
        tarfile.CHRTYPE: "a device",
        tarfile.BLKTYPE: "a device",
        tarfile.FIFOTYPE: "a fifo",
    }
)
_ZIP_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_READERS: Mapping[str, _Reader] = MappingProxyType(
    {
        ".tar.gz": _read_gzipped_tar,
        ".tgz": _read_gzipped_tar,
        ".tar": _read_tar,
        ".zip": _read_zip,
    }
)
