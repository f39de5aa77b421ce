import gzip
import hashlib
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from keras_deeplab.weights import download, paced_reader, transfer
from keras_deeplab.weights.cache import pin_path, read_pin, write_pin
from keras_deeplab.weights.download import fetch
from keras_deeplab.weights.download_error import DownloadError
from keras_deeplab.weights.remote_file import RemoteFile
from tests.weights import bad_server
from tests.weights.bad_server import BadServer, serve, status

# Both begin as a gzip file does.
DATA = b"\x1f\x8b" + bytes(range(254)) * 400 + bytes(798)
OTHER = DATA[:2] + DATA[:1:-1]
HALF = len(DATA) // 2
NAME = "model.tar.gz"
FETCH_WORKER = Path(__file__).with_name("fetch_worker.py")


def row_of(*urls: str, data: bytes = DATA, algorithm: str = "sha256") -> RemoteFile:
    return RemoteFile(
        name=NAME,
        urls=urls,
        bytes=len(data),
        digest=hashlib.new(algorithm, data).hexdigest(),
        algorithm=algorithm,
    )


def unstated(*urls: str) -> RemoteFile:
    return RemoteFile(name=NAME, urls=urls)


def visible(home: Path) -> list[str]:
    """What lies in the cache under a name that a user, or a loader, would see."""
    return sorted(path.name for path in home.iterdir() if path.name[0] != ".")


def assert_whole(path: Path, home: Path, data: bytes = DATA) -> None:
    assert path == home / NAME
    assert path.read_bytes() == data
    assert not list(home.glob(".*.part*"))


def refuse(row: RemoteFile, home: Path, match: str) -> str:
    """Expects the download to fail with this and to leave nothing to be opened."""
    with pytest.raises(DownloadError, match=match) as caught:
        fetch(row)
    assert visible(home) == []
    return str(caught.value)


def use_short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paced_reader, "TIMEOUT", 0.3)


# The way it should be.


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "sha384", "sha512"])
def test_fetch_of_a_good_file_gives_its_bytes(
    algorithm: str, server: BadServer, home: Path
) -> None:
    row = row_of(server.add("a", serve(DATA)), algorithm=algorithm)
    assert_whole(fetch(row), home)


def test_fetch_with_progress_tells_name_bytes_and_total(
    server: BadServer, home: Path
) -> None:
    told: list[tuple[str, int, int | None]] = []
    row = row_of(server.add("a", serve(DATA)))
    fetch(row, progress=lambda *args: told.append(args))
    assert told[-1] == (NAME, len(DATA), len(DATA))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_fetch_a_second_time_asks_nobody(server: BadServer, home: Path) -> None:
    row = row_of(server.add("a", serve(DATA)))
    assert fetch(row) == fetch(row)
    assert server.paths() == ["a"]


def test_fetch_of_a_chunked_file_gives_its_bytes(server: BadServer, home: Path) -> None:
    row = row_of(server.add("a", bad_server.chunked(DATA)))
    assert_whole(fetch(row), home)


def test_fetch_when_progress_raises_goes_on_later(
    server: BadServer, home: Path
) -> None:
    def interrupt(name: str, done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    row = row_of(server.add("a", serve(DATA)))
    with pytest.raises(KeyboardInterrupt):
        fetch(row, progress=interrupt)
    assert visible(home) == []
    assert_whole(fetch(row), home)


# Connections that drop.


def test_fetch_when_the_connection_drops_goes_on_where_it_was(
    server: BadServer, home: Path
) -> None:
    row = row_of(server.add("a", serve(DATA, stop=HALF), serve(DATA)))
    assert_whole(fetch(row), home)
    assert server.ranges() == [None, f"bytes={HALF}-"]


def test_fetch_when_it_drops_again_and_again_ends_and_resumes_later(
    server: BadServer, home: Path
) -> None:
    url = server.add("a", *(serve(DATA, stop=at * 1000) for at in range(1, 9)))
    refuse(row_of(url), home, "the connection ended at byte 5000 of 102400")
    assert len(server.requests) == 5
    server.add("a", serve(DATA))
    assert_whole(fetch(row_of(url)), home)
    assert server.ranges()[-1] == "bytes=5000-"


def test_fetch_when_dropped_by_a_server_without_tag_starts_again(
    server: BadServer, home: Path
) -> None:
    whole = serve(DATA, etag=None)
    url = server.add("a", serve(DATA, etag=None, stop=HALF), whole)
    refused = row_of(url)
    assert_whole(fetch(refused), home)
    assert server.ranges() == [None, None]


def test_fetch_when_dropped_by_a_server_with_a_weak_tag_starts_again(
    server: BadServer, home: Path
) -> None:
    weak = 'W/"one"'
    answers = (serve(DATA, etag=weak, stop=HALF), serve(DATA, etag=weak))
    assert_whole(fetch(row_of(server.add("a", *answers))), home)
    assert server.ranges() == [None, None]


def test_fetch_when_the_server_ignores_ranges_starts_again(
    server: BadServer, home: Path
) -> None:
    url = server.add("a", serve(DATA, stop=HALF), serve(DATA, ranges=False))
    assert_whole(fetch(row_of(url)), home)
    assert server.ranges() == [None, f"bytes={HALF}-"]


@pytest.mark.parametrize("obeys_if_range", [True, False])
def test_fetch_when_the_file_changed_in_between_starts_again(
    obeys_if_range: bool, server: BadServer, home: Path
) -> None:
    new = serve(DATA, etag='"two"', if_range=obeys_if_range)
    url = server.add("a", serve(OTHER, stop=HALF), new)
    assert_whole(fetch(row_of(url)), home)
    assert len(server.requests) == (2 if obeys_if_range else 3)


def test_fetch_when_the_tag_lies_finds_the_mixture_and_starts_again(
    server: BadServer, home: Path
) -> None:
    url = server.add("a", serve(OTHER, stop=HALF), serve(DATA))
    assert_whole(fetch(row_of(url)), home)
    assert server.ranges() == [None, f"bytes={HALF}-", None]


def test_fetch_when_the_rest_is_of_another_place_starts_again(
    server: BadServer, home: Path
) -> None:
    elsewhere = status(206, Content_Range=f"bytes 5-{len(DATA) - 1}/{len(DATA)}")
    nowhere = status(206)
    for answer in (elsewhere, nowhere):
        url = server.add("a", serve(DATA, stop=HALF), answer, serve(DATA))
        assert_whole(fetch(row_of(url)), home)
        (home / NAME).unlink()


def test_fetch_when_the_part_is_longer_than_the_file_starts_again(
    server: BadServer, home: Path
) -> None:
    longer = serve(DATA + DATA, stop=len(DATA) + 5, length=2 * len(DATA))
    url = server.add("a", longer, serve(DATA))
    with pytest.warns(UserWarning, match="No digest"):
        assert_whole(fetch(unstated(url)), home)
    assert server.ranges() == [None, f"bytes={len(DATA) + 5}-", None]


def test_fetch_of_a_part_from_another_url_starts_again(
    server: BadServer, home: Path
) -> None:
    refuse(row_of(server.add("a", serve(OTHER, stop=HALF), status(500))), home, "500")
    assert_whole(fetch(row_of(server.add("b", serve(DATA)))), home)
    assert server.ranges()[-1] is None


def test_fetch_of_a_part_with_a_damaged_record_starts_again(
    server: BadServer, home: Path
) -> None:
    url = server.add("a", serve(DATA, stop=HALF), status(500), serve(DATA))
    refuse(row_of(url), home, "500")
    (home / f".{NAME}.part.json").write_text('{"url": "x')
    assert_whole(fetch(row_of(url)), home)
    assert server.ranges()[-1] is None


# Wrong bytes.


def test_fetch_of_wrong_bytes_is_refused_and_leaves_nothing(
    server: BadServer, home: Path
) -> None:
    message = refuse(row_of(server.add("a", serve(OTHER))), home, "its sha256 is")
    assert hashlib.sha256(OTHER).hexdigest() in message
    assert not list(home.glob(".*.part*"))
    assert server.paths() == ["a"]


def test_fetch_of_wrong_bytes_from_one_url_takes_the_next(
    server: BadServer, home: Path
) -> None:
    urls = (server.add("a", serve(OTHER)), server.add("b", serve(DATA)))
    assert_whole(fetch(row_of(*urls)), home)


@pytest.mark.parametrize("code", [400, 403, 404, 410, 429, 500, 503, 204, 206, 304])
def test_fetch_when_one_url_answers_a_status_takes_the_next(
    code: int, server: BadServer, home: Path
) -> None:
    urls = (server.add("a", status(code)), server.add("b", serve(DATA)))
    assert_whole(fetch(row_of(*urls)), home)
    assert server.paths() == ["a", "b"]


def test_fetch_when_every_url_fails_names_each_reason(
    server: BadServer, home: Path
) -> None:
    urls = (server.add("a", status(404)), server.add("b", status(500)))
    message = refuse(row_of(*urls), home, "cannot be downloaded")
    assert f"{urls[0]}: the server answered 404 Not Found" in message
    assert f"{urls[1]}: the server answered 500 Internal Server Error" in message


# Lies about the length.


@pytest.mark.parametrize("lie", [len(DATA) - 7, len(DATA) + 7, 0, 10**17])
def test_fetch_when_the_length_is_not_the_stated_one_is_refused_at_once(
    lie: int, server: BadServer, home: Path
) -> None:
    row = row_of(server.add("a", serve(DATA, length=lie)))
    refuse(row, home, f"the file there has {lie} bytes, not {len(DATA)}")


def test_fetch_when_less_comes_than_announced_is_refused(
    server: BadServer, home: Path
) -> None:
    url = server.add("a", serve(DATA, length=len(DATA) + 7))
    refuse(unstated(url), home, "the connection ended at byte 102400 of 102407")
    assert len(server.requests) <= 5


def test_fetch_when_less_is_announced_than_there_is_is_refused_by_the_digest(
    server: BadServer, home: Path
) -> None:
    url = server.add("a", serve(DATA, length=len(DATA) - 7))
    sha = hashlib.sha256(DATA).hexdigest()
    row = RemoteFile(name=NAME, urls=(url,), digest=sha, algorithm="sha256")
    refuse(row, home, "its sha256 is")


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        (bad_server.chunked(DATA + b"more"), "more than 102400 bytes came"),
        (bad_server.unframed(DATA + b"more"), "more than 102400 bytes came"),
        (bad_server.chunked(DATA[:HALF]), "ended at byte 51200 of 102400"),
        (bad_server.unframed(DATA[:HALF]), "ended at byte 51200 of 102400"),
        (bad_server.chunked(DATA, end=False), "IncompleteRead"),
    ],
    ids=["chunked more", "more", "chunked less", "less", "no last chunk"],
)
def test_fetch_when_an_unannounced_length_is_wrong_is_refused(
    answer: bad_server.Answer, match: str, server: BadServer, home: Path
) -> None:
    refuse(row_of(server.add("a", answer)), home, match)


def test_fetch_when_nothing_tells_a_whole_file_is_refused(
    server: BadServer, home: Path
) -> None:
    url = server.add("a", bad_server.unframed(DATA))
    refuse(unstated(url), home, "the server does not say how long the file is")


def test_fetch_of_an_empty_file_is_refused(server: BadServer, home: Path) -> None:
    refuse(unstated(server.add("a", status(200))), home, "it is empty")
    assert not pin_path(home / NAME).exists()


def test_fetch_of_more_than_any_model_has_is_refused(
    server: BadServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_MOST_BYTES", 1000)
    url = server.add("a", serve(DATA))
    refuse(unstated(url), home, "102400 bytes, which is too many")
    url = server.add("a", bad_server.chunked(DATA))
    refuse(unstated(url), home, "more than 1000 bytes came")


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\x00\xff" * 200,
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + DATA[:9],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n",
    ],
    ids=["nothing", "binary", "status", "many", "long", "negative", "chunk", "minus"],
)
def test_fetch_of_what_is_not_http_is_refused(
    junk: bytes, server: BadServer, home: Path
) -> None:
    message = refuse(row_of(server.add("a", bad_server.raw(junk))), home, "Received: ")
    assert not message.rstrip().endswith(":")


# Redirects.


def test_fetch_when_redirected_gives_the_bytes(server: BadServer, home: Path) -> None:
    server.add("c", serve(DATA))
    server.add("b", status(307, Location="c"))
    row = row_of(server.add("a", status(302, Location=server.url("b"))))
    assert_whole(fetch(row), home)
    assert server.paths() == ["a", "b", "c"]


def test_fetch_when_redirected_and_dropped_goes_on(
    server: BadServer, home: Path
) -> None:
    server.add("b", serve(DATA, stop=HALF), serve(DATA))
    row = row_of(server.add("a", status(302, Location="/b")))
    assert_whole(fetch(row), home)
    assert server.ranges()[-1] == f"bytes={HALF}-"


def test_fetch_when_redirected_in_a_circle_ends(server: BadServer, home: Path) -> None:
    row = row_of(server.add("a", status(302, Location="/a")))
    refuse(row, home, "it redirects more than 5 times")
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/hostname",
        "ftp://127.0.0.1/a",
        "data:,a",
        "gopher://h/",
        "",
    ],
)
def test_fetch_when_redirected_off_http_is_refused(
    target: str, server: BadServer, home: Path
) -> None:
    row = row_of(server.add("a", status(302, Location=target)))
    refuse(row, home, "it redirects to .*, not to http or https")


def test_redirect_from_https_to_http_is_refused() -> None:
    from keras_deeplab.weights import http_connection

    with pytest.raises(DownloadError, match="not to https"):
        http_connection._redirect("https://h/a", "http://h/a")
    assert http_connection._redirect("http://h/a", "//g/b") == "http://g/b"


def test_fetch_when_a_redirect_has_an_endless_body_does_not_read_it(
    server: BadServer, home: Path
) -> None:
    def endless(request: Any) -> None:
        bad_server.head(request, 302, {"Location": "/b", "Content-Length": 10**12})
        while not server.over.is_set():
            request.wfile.write(DATA)

    server.add("b", serve(DATA))
    assert_whole(fetch(row_of(server.add("a", endless))), home)


# Hanging.


@pytest.mark.parametrize("sent", [0, HALF])
def test_fetch_when_the_server_hangs_ends_and_takes_the_next(
    sent: int, server: BadServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_short_timeout(monkeypatch)
    urls = (
        server.add("a", bad_server.hang(server, DATA, sent), status(500)),
        server.add("b", serve(DATA)),
    )
    begin = time.monotonic()
    assert_whole(fetch(row_of(*urls)), home)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    "opening",
    [
        b"HTTP/1.1 200 OK\r\nA: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 102400\r\n\r\n",
    ],
    ids=["headers", "body"],
)
def test_fetch_when_the_server_trickles_ends(
    opening: bytes, server: BadServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_short_timeout(monkeypatch)
    begin = time.monotonic()
    refuse(
        row_of(server.add("a", bad_server.trickle(server, opening))), home, "came in"
    )
    assert time.monotonic() - begin < 5


def test_fetch_when_nobody_listens_is_refused_at_once(
    server: BadServer, home: Path
) -> None:
    with bad_server.running() as gone:
        url = gone.url("a")
    refuse(row_of(url), home, "refused")


def test_fetch_when_nobody_listens_at_one_url_takes_the_next(
    server: BadServer, home: Path
) -> None:
    with bad_server.running() as gone:
        dead = gone.url("a")
    row = row_of(dead, "http://no.such.host.invalid/a", server.add("b", serve(DATA)))
    assert_whole(fetch(row), home)
    assert server.paths() == ["b"]


# No digest stated: trust on first use.


def test_fetch_without_digest_pins_the_first_and_tells(
    server: BadServer, home: Path
) -> None:
    told: list[tuple[str, str]] = []
    row = unstated(server.add("a", serve(DATA)))
    path = fetch(row, trusted=lambda *args: told.append(args))
    digest = hashlib.sha256(DATA).hexdigest()
    assert told == [(NAME, digest)]
    assert read_pin(path) == digest
    fetch(row, trusted=lambda *args: told.append(args))
    assert len(told) == 1


def test_fetch_without_digest_and_listener_warns_once(
    server: BadServer, home: Path
) -> None:
    row = unstated(server.add("a", serve(DATA)))
    with pytest.warns(UserWarning, match=hashlib.sha256(DATA).hexdigest()) as caught:
        fetch(row)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fetch(row)


def test_fetch_when_a_pinned_file_comes_otherwise_is_refused(
    server: BadServer, home: Path
) -> None:
    row = unstated(server.add("a", serve(DATA), serve(OTHER), serve(DATA)))
    path = fetch(row, trusted=bad_server.void)
    path.unlink()
    message = refuse(row, home, "as when it was first trusted")
    assert str(pin_path(path)) in message
    assert_whole(fetch(row), home)


def test_fetch_when_a_pinned_file_was_changed_brings_it_again(
    server: BadServer, home: Path
) -> None:
    row = unstated(server.add("a", serve(DATA)))
    fetch(row, trusted=bad_server.void).write_bytes(OTHER)
    assert_whole(fetch(row), home)
    assert server.paths() == ["a", "a"]


def test_fetch_when_the_pin_is_deleted_trusts_anew(
    server: BadServer, home: Path
) -> None:
    row = unstated(server.add("a", serve(DATA), serve(OTHER)))
    path = fetch(row, trusted=bad_server.void)
    path.unlink()
    message = refuse(row, home, "its sha256 is")
    assert f"Delete {path} and {pin_path(path)} to trust the next download" in message
    pin_path(path).unlink()
    assert_whole(fetch(row, trusted=bad_server.void), home, OTHER)


@pytest.mark.parametrize(
    "ending", ["tar.gz", "tgz", "h5", "weights.h5", "zip", "keras"]
)
def test_fetch_of_the_page_of_a_network_in_the_files_place_is_refused_and_not_pinned(
    ending: str, server: BadServer, home: Path
) -> None:
    page = b"<!DOCTYPE html><title>Log in to go on</title>"
    row = RemoteFile(name=f"model.{ending}", urls=(server.add("a", serve(page)),))
    refuse(row, home, "it begins with b'<!DOCTYPE html><', not with")
    assert not pin_path(home / row.name).exists()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.tar.gz", gzip.compress(b"a", mtime=0)),
        ("a.tgz", gzip.compress(b"a", mtime=0)),
        ("a.h5", b"\x89HDF\r\n\x1a\n"),
        ("a.zip", b"PK\x03\x04"),
        ("a.keras", b"PK\x03\x04"),
        ("a.of_another_kind", b"anything"),
    ],
)
def test_fetch_of_a_file_that_begins_as_its_format_does_is_trusted(
    name: str, data: bytes, server: BadServer, home: Path
) -> None:
    row = RemoteFile(name=name, urls=(server.add("a", serve(data)),))
    assert fetch(row, trusted=bad_server.void).read_bytes() == data
    assert read_pin(home / name) == hashlib.sha256(data).hexdigest()


def test_fetch_of_a_page_that_was_once_pinned_deletes_it_and_says_what_to_do(
    server: BadServer, home: Path
) -> None:
    page, path = b"<html>", home / NAME
    path.write_bytes(page)
    write_pin(path, hashlib.sha256(page).hexdigest())
    row = unstated(server.add("a", serve(DATA)))
    message = refuse(row, home, r"it begins with b'<html>'.*; it is deleted")
    assert f"Delete {path} and {pin_path(path)} to trust" in message


def test_fetch_when_the_pin_is_damaged_is_refused(
    server: BadServer, home: Path
) -> None:
    pin_path(home / NAME).write_text("{}")
    refuse(unstated(server.add("a", serve(DATA))), home, "Delete its file")
    assert server.requests == []


def test_fetch_of_a_stated_digest_heeds_no_pin(server: BadServer, home: Path) -> None:
    pin_path(home / NAME).write_text("{}")
    assert_whole(fetch(row_of(server.add("a", serve(DATA)))), home)


# A mirror in the hosts' place.


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}", "file://localhost{}/"])
def test_fetch_from_a_mirror_folder_asks_no_host(
    form: str,
    server: BadServer,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "the mirror"
    folder.mkdir()
    (folder / NAME).write_bytes(DATA)
    place = folder.as_posix()
    if "://" in form:
        place = place.replace(" ", "%20")
    monkeypatch.setenv("KERAS_DEEPLAB_MIRROR", form.format(place))
    told: list[int] = []
    row = row_of(server.add("a", serve(OTHER)))
    assert_whole(fetch(row, progress=lambda _, done, __: told.append(done)), home)
    assert server.requests == []
    assert told == [len(DATA)]


@pytest.mark.parametrize("end", ["", "/"])
def test_fetch_from_a_mirror_url_asks_only_there(
    end: str, server: BadServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(f"m/{NAME}", serve(DATA))
    monkeypatch.setenv("KERAS_DEEPLAB_MIRROR", server.url("m") + end)
    assert_whole(fetch(row_of(server.add("a", serve(OTHER)))), home)
    assert server.paths() == [f"m/{NAME}"]


def test_fetch_when_the_mirror_lacks_the_file_asks_no_host(
    server: BadServer, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_DEEPLAB_MIRROR", str(tmp_path / "none"))
    row = row_of(server.add("a", serve(DATA)))
    message = refuse(row, home, "there is no such file")
    assert str(tmp_path / "none" / NAME) in message
    assert server.requests == []


@pytest.mark.parametrize("wrong", [OTHER, DATA[:-1], b"", DATA * 2])
def test_fetch_when_the_mirror_has_another_file_is_refused(
    wrong: bytes, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / NAME).write_bytes(wrong)
    monkeypatch.setenv("KERAS_DEEPLAB_MIRROR", str(folder))
    refuse(row_of("http://127.0.0.1:9/a"), home, r"its sha256 is|bytes, not")
    assert (folder / NAME).read_bytes() == wrong


@pytest.mark.parametrize("mirror", ["ftp://h/a", "s3://b", "file://host/a", "http://"])
def test_fetch_when_the_mirror_is_of_no_known_kind_is_refused(
    mirror: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_DEEPLAB_MIRROR", mirror)
    refuse(row_of(), home, f"must be a folder, or a url .*MIRROR='{mirror}'")


# Files put there by hand, and offline.


def test_fetch_offline_says_what_to_get_and_where_to_put_it(
    server: BadServer, home: Path
) -> None:
    with bad_server.running() as gone:
        urls = (gone.url("a"), gone.url("b"))
    row = row_of(*urls, algorithm="sha384")
    message = refuse(row, home, "cannot be downloaded")
    for said in (*urls, str(home / NAME), f"sha384 {row.digest}", "102400 bytes"):
        assert said in message
    assert "KERAS_DEEPLAB_MIRROR" in message


def test_fetch_offline_without_digest_or_url_says_so(home: Path) -> None:
    refuse(unstated(), home, "whoever has it .*no digest is published")


def test_fetch_of_a_file_put_there_by_hand_takes_it(home: Path) -> None:
    (home / NAME).write_bytes(DATA)
    assert_whole(fetch(row_of("http://127.0.0.1:9/a")), home)


def test_fetch_of_a_file_put_there_without_digest_pins_it(home: Path) -> None:
    (home / NAME).write_bytes(DATA)
    with pytest.warns(UserWarning, match="No digest is published for model"):
        assert_whole(fetch(unstated()), home)
    assert read_pin(home / NAME)


@pytest.mark.parametrize("wrong", [OTHER, DATA[:-1], b""])
def test_fetch_of_a_wrong_file_put_there_deletes_it_and_says_so(
    wrong: bytes, home: Path
) -> None:
    (home / NAME).write_bytes(wrong)
    refuse(row_of(), home, rf"{NAME}: (its sha256 is|it has|it is empty).*is deleted")


def test_fetch_of_a_wrong_file_put_there_brings_the_right_one(
    server: BadServer, home: Path
) -> None:
    (home / NAME).write_bytes(OTHER)
    assert_whole(fetch(row_of(server.add("a", serve(DATA)))), home)


# The disk.


def test_fetch_when_the_cache_is_a_file_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", str(home / "file"))
    with pytest.raises(DownloadError, match="Set KERAS_DEEPLAB_HOME"):
        fetch(row_of())


def test_fetch_when_a_folder_has_the_name_is_refused_and_kept(home: Path) -> None:
    (home / NAME / "below").mkdir(parents=True)
    with pytest.raises(DownloadError, match="Set KERAS_DEEPLAB_HOME"):
        fetch(unstated())
    assert (home / NAME / "below").is_dir()


def test_fetch_of_a_good_file_in_a_cache_to_read_only_needs_no_lock(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Simulated: an administrator may write anywhere.
    def refuse_lock(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(download, "lock_file", refuse_lock)
    with pytest.raises(DownloadError, match=r"Permission denied.*KERAS_DEEPLAB_HOME"):
        fetch(row_of())
    (home / NAME).write_bytes(DATA)
    assert_whole(fetch(row_of()), home)


def test_fetch_when_the_file_is_deleted_under_it_brings_it(
    server: BadServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = download.find_fault

    def lose(path: Path, row: RemoteFile) -> None:
        monkeypatch.setattr(download, "find_fault", real)
        path.unlink()
        raise FileNotFoundError(path)

    (home / NAME).write_bytes(OTHER)
    monkeypatch.setattr(download, "find_fault", lose)
    assert_whole(fetch(row_of(server.add("a", serve(DATA)))), home)


def test_fetch_when_the_disk_is_full_is_refused(
    server: BadServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer, "_append", fail)
    refuse(row_of(server.add("a", serve(DATA))), home, "No space left on device")


def test_fetch_when_a_write_fails_midway_is_refused_and_goes_on_later(
    server: BadServer, home: Path
) -> None:
    resource = pytest.importorskip("resource")
    row = row_of(server.add("a", serve(DATA)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, hard))
    try:
        refuse(row, home, "File too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_whole(fetch(row), home)


# Processes.


def start_worker(row: RemoteFile) -> subprocess.Popen[str]:
    arguments = (row.name, row.urls[0], str(row.bytes), str(row.digest))
    return subprocess.Popen(
        [sys.executable, str(FETCH_WORKER), *arguments],
        stdout=subprocess.PIPE,
        env=dict(os.environ),
        text=True,
    )


def test_fetch_by_three_processes_at_once_downloads_once(
    server: BadServer, home: Path
) -> None:
    row = row_of(server.add("a", bad_server.slowly(DATA, 1.0)))
    workers = [start_worker(row) for _ in range(3)]
    said = [worker.communicate(timeout=20)[0] for worker in workers]
    assert said == [f"{home / NAME} False\n"] * 3
    assert server.paths() == ["a"]
    assert_whole(home / NAME, home)


def test_fetch_when_killed_leaves_no_half_file_and_the_next_goes_on(
    server: BadServer, home: Path
) -> None:
    row = row_of(server.add("a", bad_server.hang(server, DATA, HALF), serve(DATA)))
    part = home / f".{NAME}.part"
    with start_worker(row) as worker:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if part.exists() and part.stat().st_size:
                break
            time.sleep(0.02)
        worker.kill()
    assert visible(home) == []
    got = part.stat().st_size
    assert 0 < got <= HALF
    assert_whole(fetch(row), home)
    assert server.ranges() == [None, f"bytes={got}-"]


# What is known of a file.


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a", "a/b", "a\\b", "/a", "C:a", ".a", "a\n", "a b", "a" * 201],
)
def test_remote_file_of_a_name_that_is_a_way_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="`name` must be a plain file name"):
        RemoteFile(name=name, urls=())


@pytest.mark.parametrize("url", ["file:///a", "ftp://h/a", "a", "", "http:///a"])
def test_remote_file_of_another_url_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match="`urls` must be http or https"):
        RemoteFile(name="a", urls=(url,))


@pytest.mark.parametrize(
    ("digest", "algorithm", "match"),
    [
        ("ab" * 32, None, "`algorithm` must be one of md5"),
        ("ab" * 20, "sha1", "`algorithm` must be one of md5"),
        (None, "sha256", "`digest` must be 64"),
        ("ab" * 31, "sha256", "`digest` must be 64"),
        ("AB" * 32, "sha256", "`digest` must be 64"),
        ("ab" * 32 + "\n", "sha256", "`digest` must be 64"),
    ],
)
def test_remote_file_of_a_malformed_digest_is_an_error(
    digest: str | None, algorithm: str | None, match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        RemoteFile(name="a", urls=(), digest=digest, algorithm=algorithm)


def test_remote_file_of_no_bytes_is_an_error() -> None:
    with pytest.raises(ValueError, match="`bytes` must be positive"):
        RemoteFile(name="a", urls=(), bytes=0)
