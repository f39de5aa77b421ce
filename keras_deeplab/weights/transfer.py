"""The bytes of one source, into a part file."""

import http.client
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from keras_deeplab.weights.download_error import DownloadError
from keras_deeplab.weights.http_connection import describe_status, open_url
from keras_deeplab.weights.part_file import PartFile, strong_etag
from keras_deeplab.weights.remote_file import RemoteFile

Report = Callable[[int, int | None], None]

_CHUNK = 1 << 18
# What a file may have whose size is not stated; official ones have under 1 GiB.
_MOST_BYTES = 4 << 30
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


def copy_file(source: Path, part: PartFile, remote: RemoteFile, report: Report) -> None:
    """Copies a file of this machine into a part.

    Args:
        source: The file.
        part: Where its bytes go.
        remote: What is stated of the file.
        report: Told the bytes that have come, and all there are.

    Raises:
        DownloadError: If it is no file, or has too many bytes.
        OSError: If it cannot be read, or the part cannot be written.
    """
    if not source.is_file():
        raise DownloadError("there is no such file")
    total = source.stat().st_size
    _check_total(total, remote)
    part.start(str(source), None)
    with open(source, "rb") as file:
        chunks = iter(lambda: file.read(_CHUNK), b"")
        _append(chunks, part, total, lambda done: report(done, total))


def receive_url(url: str, part: PartFile, remote: RemoteFile, report: Report) -> None:
    """Receives a file, or the rest of one that the part has the beginning of.

    Args:
        url: Where it is.
        part: Where its bytes go; it keeps them if the connection breaks.
        remote: What is stated of the file.
        report: Told the bytes that have come, and all there are if that is known.

    Raises:
        DownloadError: If the server has no such file, or not all of it comes.
        OSError: If there is no connection, or it breaks, or the part cannot be written.
        http.client.HTTPException: If what comes is not HTTP.
    """
    headers = {"User-Agent": "keras-deeplab", "Accept-Encoding": "identity"}
    if etag := part.etag(url):
        # Without If-Range a file that has changed would go on in the middle.
        headers |= {"Range": f"bytes={part.size()}-", "If-Range": etag}
    with open_url(url, headers) as answer:
        total = _begin(answer, url, part, remote) or remote.bytes
        # read1 gives what has come; read would wait for more, and lose it in a break.
        chunks = iter(lambda: answer.read1(_CHUNK), b"")
        limit = _MOST_BYTES if total is None else total
        _append(chunks, part, limit, lambda done: report(done, total))
    if total is not None and part.size() != total:
        raise DownloadError(f"the connection ended at byte {part.size()} of {total}")


def _begin(
    answer: http.client.HTTPResponse, url: str, part: PartFile, remote: RemoteFile
) -> int | None:
    etag = part.etag(url)
    if answer.status == http.client.PARTIAL_CONTENT and etag:
        return _go_on(answer, etag, part, remote)
    if answer.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.discard()
    if answer.status != http.client.OK:
        raise DownloadError(describe_status(answer.status))
    _check_total(answer.length, remote)
    if answer.length is None and remote.bytes is None and not answer.chunked:
        raise DownloadError("the server does not say how long the file is")
    part.start(url, strong_etag(answer.headers.get("ETag")))
    return answer.length


def _go_on(
    answer: http.client.HTTPResponse, etag: str, part: PartFile, remote: RemoteFile
) -> int:
    text = answer.headers.get("Content-Range", "")
    match = _CONTENT_RANGE.fullmatch(text)
    first, last, total = map(int, match.groups()) if match else (-1, -1, -1)
    same = answer.headers.get("ETag", etag) == etag
    if not same or first != part.size() or last + 1 != total:
        part.discard()
        raise DownloadError(f"the server went on with other bytes ({text or 'unsaid'})")
    _check_total(total, remote)
    return total


def _check_total(total: int | None, remote: RemoteFile) -> None:
    if total is None:
        return
    if remote.bytes is not None and total != remote.bytes:
        raise DownloadError(f"the file there has {total} bytes, not {remote.bytes}")
    if total > max(_MOST_BYTES, remote.bytes or 0):
        raise DownloadError(f"the file there has {total} bytes, which is too many")


def _append(
    chunks: Iterable[bytes], part: PartFile, limit: int, tell: Callable[[int], None]
) -> None:
    done = part.size()
    with open(part.path, "ab") as file:
        for chunk in chunks:
            done += len(chunk)
            if done > limit:
                break
            file.write(chunk)
            tell(done)
    if done > limit:
        part.discard()
        raise DownloadError(f"more than {limit} bytes came")
