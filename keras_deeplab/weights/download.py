"""From what is known of a file to the file, checked, in the cache."""

import warnings
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError

from keras_deeplab._file_lock import lock_file
from keras_deeplab.weights.cache import cache_folder, unusable_cache, write_pin
from keras_deeplab.weights.download_error import DownloadError
from keras_deeplab.weights.part_file import PartFile
from keras_deeplab.weights.remote_file import RemoteFile
from keras_deeplab.weights.sources import MIRROR_VARIABLE, list_sources
from keras_deeplab.weights.transfer import Report, copy_file, receive_url
from keras_deeplab.weights.user_line import user_stacklevel
from keras_deeplab.weights.verify import expected_digest, file_digest, find_fault

Progress = Callable[[str, int, int | None], None]
Trusted = Callable[[str, str], None]

# How often one source is asked: again only after a try that brought more of the file,
# or that showed the beginning of an earlier run to be useless.
_TRIES = 5


def fetch(
    remote: RemoteFile,
    *,
    progress: Progress | None = None,
    trusted: Trusted | None = None,
) -> Path:
    """Brings a file into the cache, unless it is there, and checks it.

    Size and digest are checked before anything opens the file, also when it has been
    in the cache for long or was put there by hand. Until then it has another name, and
    a file that fails is deleted. If a download breaks off, the next one goes on.

    Where no digest is stated, the first file is trusted: its SHA-256 is pinned in the
    cache, and every later file of that name must have the same.

    Args:
        remote: The file.
        progress: Called with its name, the bytes that have come, and all there are or
            `None` if the server does not say.
        trusted: Called with its name and SHA-256 when that is pinned, to show it to
            the user. Without it a `UserWarning` says so.

    Returns:
        The file's path in the cache.

    Raises:
        DownloadError: If the file cannot be had, or is not the one it should be, or
            the cache cannot be used.
    """
    path = cache_folder() / remote.name
    try:
        if not _is_ready(remote, path):
            with lock_file(path):
                _bring(remote, path, progress or _say_nothing)
                _trust(remote, path, trusted or _warn)
    except DownloadError:
        raise
    except OSError as error:
        raise unusable_cache(path.parent, error) from error
    return path


def _is_ready(remote: RemoteFile, path: Path) -> bool:
    # Without the lock: a cache that others may only read serves, too.
    if expected_digest(remote, path) is None or not path.is_file():
        return False
    try:
        return find_fault(path, remote) is None
    except FileNotFoundError:
        # Another process has found it wrong and deleted it just now.
        return False


def _bring(remote: RemoteFile, path: Path, progress: Progress) -> None:
    found = []
    # Whoever had the lock before may have brought it.
    if path.exists():
        fault = find_fault(path, remote)
        if fault is None:
            return
        path.unlink()
        found.append(f"{path}: {fault}; it is deleted")
    _download(
        remote, path, lambda done, total: progress(remote.name, done, total), found
    )


def _download(
    remote: RemoteFile, path: Path, report: Report, failures: list[str]
) -> None:
    part = PartFile(path)
    for source in list_sources(remote):
        reason = _try_source(source, part, remote, path, report)
        if reason is None:
            part.keep(path)
            return
        failures.append(f"{source}: {reason}")
    raise _cannot_have(remote, path, failures)


def _try_source(
    source: str | Path, part: PartFile, remote: RemoteFile, path: Path, report: Report
) -> str | None:
    reason = None
    for _ in range(_TRIES):
        begin = 0 if isinstance(source, Path) else _resumed(part, source)
        reason = _try_once(source, part, remote, path, report)
        end = part.size()
        if reason is None or not (end > begin or (begin and not end)):
            break
    return reason


def _try_once(
    source: str | Path, part: PartFile, remote: RemoteFile, path: Path, report: Report
) -> str | None:
    try:
        if isinstance(source, Path):
            copy_file(source, part, remote, report)
        else:
            receive_url(source, part, remote, report)
    # http.client also raises ValueError, for what it cannot read as a number or a host.
    except (OSError, HTTPException, ValueError) as error:
        return _describe(error)
    fault = find_fault(part.path, remote, path=path)
    if fault is not None:
        part.discard()
    return fault


def _resumed(part: PartFile, url: str) -> int:
    return part.size() if part.etag(url) else 0


def _trust(remote: RemoteFile, path: Path, trusted: Trusted) -> None:
    if expected_digest(remote, path) is None:
        digest = file_digest(path)
        write_pin(path, digest)
        trusted(remote.name, digest)


def _say_nothing(name: str, done: int, total: int | None) -> None:
    pass


def _warn(name: str, digest: str) -> None:
    warnings.warn(
        f"No digest is published for {name}. This first file is trusted; later ones "
        f"must have its SHA-256, {digest}",
        stacklevel=user_stacklevel(),
    )


def _describe(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    return str(reason) or repr(reason)


def _cannot_have(remote: RemoteFile, path: Path, failures: list[str]) -> DownloadError:
    expected = expected_digest(remote, path)
    size = "" if remote.bytes is None else f"{remote.bytes} bytes, "
    check = "no digest is published" if expected is None else " ".join(expected)
    where = " or ".join(remote.urls) or "whoever has it"
    return DownloadError(
        f"{remote.name} cannot be downloaded. Fetch it from {where} by other means and "
        f"put it at {path} ({size}{check}), where it is checked; or set "
        f"{MIRROR_VARIABLE} to a folder that holds it. Received: {'; '.join(failures)}"
    )
