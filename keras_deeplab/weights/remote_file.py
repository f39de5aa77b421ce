"""What is known of a file before it is here."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

# Hexadecimal digits of each digest that publishers of weights state.
DIGEST_LENGTHS: Mapping[str, int] = MappingProxyType(
    {
        name: 2 * hashlib.new(name, usedforsecurity=False).digest_size
        for name in ("md5", "sha256", "sha384", "sha512")
    }
)

# No separator, no drive and no leading dot: those are the cache's own files.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file, where it is published and how it is recognised.

    Args:
        name: The file's name in the cache and under a mirror.
        urls: Where it is published, `http` or `https`, tried in this order.
        bytes: Its size, or `None` if that is not stated.
        digest: Its digest in hexadecimal, or `None` if none is stated: then the first
            file that comes is trusted, and every later one must be the same.
        algorithm: What `digest` is: `md5`, `sha256`, `sha384` or `sha512`.

    Raises:
        ValueError: If an argument is not of that form.
    """

    name: str
    urls: tuple[str, ...]
    bytes: int | None = None
    digest: str | None = None
    algorithm: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                "`name` must be a plain file name of letters, digits and `._+-`. "
                f"Received: name={self.name!r}"
            )
        for url in self.urls:
            _check_url(url)
        if self.bytes is not None and self.bytes < 1:
            raise ValueError(
                f"`bytes` must be positive or None. Received: bytes={self.bytes}"
            )
        _check_digest(self.digest, self.algorithm)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"`urls` must be http or https and name a host. Received: url={url!r}"
        )


def _check_digest(digest: str | None, algorithm: str | None) -> None:
    if digest is None and algorithm is None:
        return
    length = DIGEST_LENGTHS.get(algorithm or "")
    if length is None:
        raise ValueError(
            f"`algorithm` must be one of {', '.join(DIGEST_LENGTHS)}, or None without "
            f"a digest. Received: algorithm={algorithm!r}"
        )
    if digest is None or not re.fullmatch(f"[0-9a-f]{{{length}}}", digest):
        raise ValueError(
            f"`digest` must be {length} lower-case hexadecimal digits for {algorithm}. "
            f"Received: digest={digest!r}"
        )
