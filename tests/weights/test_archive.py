import gzip
import io
import random
import stat
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from keras_deeplab.weights import archive
from keras_deeplab.weights.archive import extract
from keras_deeplab.weights.download import fetch
from keras_deeplab.weights.download_error import DownloadError
from keras_deeplab.weights.remote_file import RemoteFile
from tests.weights.bad_server import BadServer, serve, void

FILES = {"model/graph.pb": b"\x00\x01" * 300_000, "model/empty": b"", "top": b"top"}
NAMES = ("a.tar.gz", "a.tgz", "a.tar", "A.ZIP")
TARS = pytest.mark.parametrize("name", NAMES[:3])
ALL = pytest.mark.parametrize("name", NAMES)

Entry = tuple[str, bytes] | tarfile.TarInfo


def tar_of(*entries: Entry, mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                file.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                file.addfile(info, io.BytesIO(entry[1]))
    return buffer.getvalue()


def zip_of(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries:
            file.writestr(name, data)
    return buffer.getvalue()


def write_archive(path: Path, *entries: tuple[str, bytes]) -> Path:
    if path.suffix.lower() == ".zip":
        path.write_bytes(zip_of(*entries))
    else:
        packed = path.suffix in (".gz", ".tgz")
        path.write_bytes(tar_of(*entries, mode="w:gz" if packed else "w"))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def refuse(path: Path, match: str) -> None:
    """Expects the unpacking to fail with this and to leave nothing behind."""
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(DownloadError, match=match) as caught:
        extract(path, path.parent / "out")
    assert f"path={str(path)!r}" in str(caught.value)
    assert sorted(path.parent.rglob("*")) == before


# The way it should be.


@ALL
def test_extract_of_a_good_archive_gives_its_files(name: str, tmp_path: Path) -> None:
    path = write_archive(tmp_path / name, *FILES.items())
    out = tmp_path / "deep" / "out"
    assert extract(path, out) == [out / name for name in FILES]
    assert {p: (out / p).read_bytes() for p in FILES} == FILES
    assert [path.name for path in out.parent.iterdir()] == ["out"]


@ALL
def test_extract_of_an_archive_without_members_makes_an_empty_folder(
    name: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert extract(write_archive(tmp_path / name), out) == []
    assert list(out.iterdir()) == []


def test_extract_of_folders_and_dots_makes_them(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    folders = (special("./", tarfile.DIRTYPE), special("./b/", tarfile.DIRTYPE))
    path.write_bytes(tar_of(*folders, ("./b/c", b"c"), ("d//e", b"e")))
    out = tmp_path / "out"
    assert extract(path, out) == [out / "b" / "c", out / "d" / "e"]
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of(("b/", b""), ("b/c", b"c")))
    assert extract(path, tmp_path / "two") == [tmp_path / "two" / "b" / "c"]


def test_extract_keeps_neither_mode_nor_owner(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a")
    info.mode, info.uid = 0o6777, 12345
    path = tmp_path / "a.tar"
    path.write_bytes(tar_of(info, mode="w"))
    (file,) = extract(path, tmp_path / "out")
    (tmp_path / "new").touch()
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE(
        (tmp_path / "new").stat().st_mode
    )
    assert file.stat().st_uid == (tmp_path / "new").stat().st_uid


def test_extract_into_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", *FILES.items())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").touch()
    refuse(path, "`folder` must be new or empty")


def test_extract_of_another_ending_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.rar").touch()
    refuse(tmp_path / "a.rar", r"file ending in \.tar\.gz, \.tgz, \.tar, \.zip\.")


def test_extract_of_no_file_is_refused(tmp_path: Path) -> None:
    refuse(tmp_path / "none.zip", "No such file")


# Members that would leave the folder.


@ALL
@pytest.mark.parametrize(
    "member",
    [
        "../evil",
        "a/../../evil",
        "a/..",
        "/evil",
        "//evil",
        "..\\evil",
        "C:\\evil",
        "C:evil",
        "a:stream",
        "a\nb",
        "a\x7fb",
    ],
)
def test_extract_of_a_name_that_leads_elsewhere_is_refused(
    member: str, name: str, tmp_path: Path
) -> None:
    path = write_archive(tmp_path / name, ("good", b"good"), (member, b"evil"))
    refuse(path, "would leave the folder")


def test_extract_of_a_zip_name_cut_by_a_null_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of(("goodX/../../evil", b"")).replace(b"goodX", b"good\0"))
    refuse(path, "would leave the folder")


@pytest.mark.parametrize(
    ("kind", "match"),
    [
        (tarfile.SYMTYPE, "is a symbolic link"),
        (tarfile.LNKTYPE, "is a hard link"),
        (tarfile.CHRTYPE, "is a device"),
        (tarfile.BLKTYPE, "is a device"),
        (tarfile.FIFOTYPE, "is a fifo"),
        (tarfile.CONTTYPE, "of a kind that is not unpacked"),
        (b"Z", "of a kind that is not unpacked"),
    ],
)
@TARS
def test_extract_of_a_special_member_is_refused(
    kind: bytes, match: str, name: str, tmp_path: Path
) -> None:
    mode = "w" if name == "a.tar" else "w:gz"
    entries = (("good", b"good"), special("evil", kind, "good"))
    (tmp_path / name).write_bytes(tar_of(*entries, mode=mode))
    refuse(tmp_path / name, match)


def test_extract_of_a_file_through_a_link_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = special("way", tarfile.SYMTYPE, str(outside))
    path = tmp_path / "a.tar"
    path.write_bytes(tar_of(link, ("way/evil", b"evil"), mode="w"))
    refuse(path, "'way' is a symbolic link")


def test_extract_of_a_sparse_file_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("sparse")
    info.pax_headers = {
        "GNU.sparse.map": "0,0",
        "GNU.sparse.size": str(1 << 24),
        "GNU.sparse.numblocks": "1",
    }
    path = tmp_path / "a.tar"
    path.write_bytes(tar_of(info, mode="w"))
    refuse(path, "is a sparse file")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_extract_of_a_special_member_of_a_zip_is_refused(
    mode: int, tmp_path: Path
) -> None:
    info = zipfile.ZipInfo("evil")
    info.create_system, info.external_attr = 3, (mode | 0o777) << 16
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of((info, b"/etc/passwd")))
    refuse(path, "is a link or a device")


def test_extract_of_an_encrypted_or_rare_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    data = bytearray(zip_of(("a", b"a")))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    refuse(path, "is encrypted")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("a", b"a" * 100)
    refuse(path, "packed in a rare way")


@ALL
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_extract_of_two_members_of_one_name_is_refused(
    name: str, tmp_path: Path
) -> None:
    refuse(write_archive(tmp_path / name, ("a", b"1"), ("a", b"2")), "File exists")


@ALL
def test_extract_of_a_file_that_is_also_a_folder_is_refused(
    name: str, tmp_path: Path
) -> None:
    path = write_archive(tmp_path / name, ("a", b"1"), ("a/b", b"2"))
    refuse(path, r"File exists|Not a directory")


# Bombs.


@pytest.mark.parametrize(
    ("members", "match"),
    [
        (1, "'0' claims 50331648 bytes; it may unpack to"),
        (8, "it unpacks to more than"),
    ],
)
def test_extract_of_a_gzip_bomb_ends_early(
    members: int, match: str, tmp_path: Path
) -> None:
    zeros = bytes((48 << 20) // members)
    path = tmp_path / "a.tar.gz"
    path.write_bytes(tar_of(*((str(i), zeros) for i in range(members))))
    assert path.stat().st_size < 100_000
    refuse(path, f"{match} 16777216")


def test_extract_of_a_bomb_behind_the_end_of_the_tar_ends_early(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(tar_of(("a", b"a")) + gzip.compress(bytes(48 << 20)))
    refuse(path, "it unpacks to more than 16777216 bytes")


def test_extract_of_a_zip_bomb_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of(*((str(i), bytes(6 << 20)) for i in range(4))))
    refuse(path, "it unpacks to more bytes than it may")


def test_extract_of_a_header_that_claims_much_reserves_nothing(tmp_path: Path) -> None:
    claims = special("a", tarfile.XHDTYPE)
    path = tmp_path / "a.tar"
    for size in (1 << 40, 8 << 20):
        claims.size = size
        path.write_bytes(claims.tobuf(tarfile.GNU_FORMAT) + bytes(10240))
        refuse(path, rf"a header of it claims {size} bytes")


@pytest.mark.parametrize("size", [17 << 20, 1 << 40, -512, -513, -(1 << 40)])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.SYMTYPE])
def test_extract_of_a_member_of_an_absurd_size_ends(
    size: int, kind: bytes, tmp_path: Path
) -> None:
    info = special("a", kind)
    info.size = size
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(10240))
    begin = time.monotonic()
    refuse(path, "cannot be unpacked")
    assert time.monotonic() - begin < 2


@ALL
def test_extract_of_too_many_members_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_MOST_MEMBERS", 5)
    entries = [(str(i), b"") for i in range(6)]
    assert len(extract(write_archive(tmp_path / name, *entries[1:]), tmp_path / "n"))
    refuse(write_archive(tmp_path / name, *entries), "it has more than 5 members")


@ALL
def test_extract_of_more_bytes_than_any_model_has_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_MOST_BYTES", 30_000)
    data = random.Random(0).randbytes(31_000)
    refuse(write_archive(tmp_path / name, ("a", data)), "unpacks? to ")


# Damage.


@ALL
@pytest.mark.parametrize(
    "junk", [b"", b"junk" * 300, b"\x1f\x8b\x08\x00", b"PK\x03\x04"]
)
def test_extract_of_what_is_no_archive_is_refused(
    junk: bytes, name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(junk)
    refuse(tmp_path / name, "cannot be unpacked")


@pytest.mark.parametrize("name", ["a.tar.gz", "A.ZIP"])
def test_extract_of_a_cut_archive_is_refused(name: str, tmp_path: Path) -> None:
    path = write_archive(tmp_path / name, *FILES.items())
    whole = path.read_bytes()
    for end in (10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        refuse(path, "cannot be unpacked")


def test_extract_of_a_wrong_check_sum_is_refused(tmp_path: Path) -> None:
    data = bytearray(tar_of(*FILES.items()))
    data[-8:-4] = struct.pack("<I", 1)
    path = tmp_path / "a.tar.gz"
    path.write_bytes(data)
    refuse(path, "CRC check failed")


def _flip(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] = rng.randrange(256)


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def _splice(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[rng.randrange(len(data)) :][: rng.randrange(1024)]


@ALL
def test_extract_of_fuzzed_archives_ends_and_stays_in_its_folder(
    name: str, tmp_path: Path
) -> None:
    rng = random.Random(6)
    path, out = tmp_path / name, tmp_path / "out"
    entries = [(f"d/{i}{'n' * 40 * i}", rng.randbytes(50 * i)) for i in range(5)]
    whole = write_archive(path, *entries).read_bytes()
    changes: list[Callable[[bytearray, random.Random], None]] = [_flip, _cut, _splice]
    for turn in range(120):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 5)):
            if data:
                rng.choice(changes)(data, rng)
        path.write_bytes(data)
        try:
            files = extract(path, out / str(turn))
        except DownloadError:
            files = []
        assert all(file.is_relative_to(out / str(turn)) for file in files)
    assert {entry.name for entry in tmp_path.iterdir()} <= {name, "out"}
    assert not list(out.glob(".*"))


# From the server to the files.


def test_extract_of_a_fetched_hostile_archive_is_refused(
    server: BadServer, tmp_path: Path, home: Path
) -> None:
    hostile = tar_of(("../evil", b"evil"), special("link", tarfile.SYMTYPE, "/etc"))
    url = server.add("a", serve(hostile))
    path = fetch(RemoteFile(name="a.tar.gz", urls=(url,)), trusted=void)
    with pytest.raises(DownloadError, match=r"'\.\./evil' would leave"):
        extract(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.rglob("evil"))
