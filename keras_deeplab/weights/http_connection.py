"""Answers to HTTP requests, with the standard library and less trust than it has."""

import http.client
import io
import ssl
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from keras_deeplab.weights import paced_reader
from keras_deeplab.weights.download_error import DownloadError
from keras_deeplab.weights.paced_reader import PacedReader

_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


def open_url(url: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    """Asks for a url and follows its redirects, a few and to http or https alone.

    Args:
        url: The url.
        headers: What to send along, also to where it redirects.

    Returns:
        The answer, whatever its status if that is no redirect. The caller closes it.

    Raises:
        DownloadError: If a redirect leads elsewhere, or there are too many.
        OSError: If there is no connection, or it breaks or hangs.
        http.client.HTTPException: If what comes is not HTTP.
    """
    opener = _opener()
    for _ in range(_MOST_REDIRECTS + 1):
        request = Request(url, headers=headers)
        answer = opener.open(request, timeout=paced_reader.TIMEOUT)
        if answer.status not in _REDIRECTS:
            return answer
        with answer:
            url = _redirect(url, answer.headers.get("Location", ""))
    raise DownloadError(f"it redirects more than {_MOST_REDIRECTS} times")


def describe_status(status: int) -> str:
    """Names a status for an error message.

    Args:
        status: The status of an answer.

    Returns:
        The number and, if it is a known one, what it stands for.
    """
    known = {item.value: item.phrase for item in HTTPStatus}
    return f"the server answered {status} {known.get(status, '')}".rstrip()


def _redirect(url: str, location: str) -> str:
    target = urljoin(url, location)
    allowed = ("https",) if urlsplit(url).scheme == "https" else ("http", "https")
    parts = urlsplit(target)
    if not location or parts.scheme not in allowed or not parts.hostname:
        raise DownloadError(
            f"it redirects to {target!r}, not to {' or '.join(allowed)}"
        )
    return target


class _Response(http.client.HTTPResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Before the first header is read.
        self.fp: Any = io.BufferedReader(PacedReader(self.fp.detach()))


class _Connection(http.client.HTTPConnection):
    response_class = _Response


class _SecureConnection(http.client.HTTPSConnection):
    response_class = _Response


class _Handler(HTTPHandler):
    def http_open(self, req: Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req)


class _SecureHandler(HTTPSHandler):
    def https_open(self, req: Request) -> http.client.HTTPResponse:
        context = ssl.create_default_context()
        return self.do_open(_SecureConnection, req, context=context)


def _opener() -> OpenerDirector:
    # Only these: the usual opener also knows ftp, file and data, reads a redirect's
    # body to an end that need not come, and raises for statuses that we look at.
    opener = OpenerDirector()
    for handler in (ProxyHandler(), _Handler(), _SecureHandler()):
        opener.add_handler(handler)
    return opener
