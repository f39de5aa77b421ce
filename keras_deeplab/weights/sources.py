"""Where a file comes from: its publishers, or the mirror that stands for them."""

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from keras_deeplab.weights.download_error import DownloadError
from keras_deeplab.weights.remote_file import RemoteFile

MIRROR_VARIABLE = "KERAS_DEEPLAB_MIRROR"


def list_sources(remote: RemoteFile) -> tuple[str | Path, ...]:
    """Lists where a file may be had.

    `KERAS_DEEPLAB_MIRROR`, a folder or a url (`file`, `http` or `https`) that holds
    files by their names, replaces every publisher: no other host is asked.

    Args:
        remote: The file.

    Returns:
        Urls, and paths of files on this machine, in the order to try them.

    Raises:
        DownloadError: If the mirror is neither a folder nor such a url.
    """
    mirror = os.environ.get(MIRROR_VARIABLE)
    return (_in_mirror(mirror, remote.name),) if mirror else remote.urls


def _in_mirror(mirror: str, name: str) -> str | Path:
    if "://" not in mirror:
        return Path(mirror).expanduser().absolute() / name
    parts = urlsplit(mirror)
    if parts.scheme in ("http", "https") and parts.hostname:
        return f"{mirror.rstrip('/')}/{name}"
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(url2pathname(parts.path)) / name
    raise DownloadError(
        f"{MIRROR_VARIABLE} must be a folder, or a url that begins with http://, "
        f"https:// or file:///. Received: {MIRROR_VARIABLE}={mirror!r}"
    )
