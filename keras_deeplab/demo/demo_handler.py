"""How the server of the page answers a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from keras_deeplab.demo.demo import MAX_STRENGTH
from keras_deeplab.demo.page_files import EXAMPLES, FILES
from keras_deeplab.demo.upload import MAX_BYTES, UploadError, too_large

if TYPE_CHECKING:
    from keras_deeplab.demo.demo_server import DemoServer

_JSON = "application/json"
_BUSY = "Too many photos are waiting. Try again in a moment."
# Bytes of a photo that are skipped at once.
_PIECE = 2**16
# The page needs nothing from elsewhere, and gets nothing from there.
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
        "style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
)


class _RequestError(Exception):
    """A request that is not answered, and why."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class DemoHandler(BaseHTTPRequestHandler):
    """Answers one connection: `GET` a file of the page, `POST /segment` a photo."""

    server: DemoServer
    protocol_version = "HTTP/1.1"
    server_version = "keras-deeplab"
    sys_version = ""
    # Of a connection that says nothing.
    timeout = 60

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, format: str, *_: Any) -> None:
        pass

    def _answer(self, respond: Any) -> None:
        try:
            self._check_host()
            respond()
        except _RequestError as refusal:
            self._fail(refusal.status, str(refusal))

    def _get(self) -> None:
        path = urlsplit(self.path).path
        if path == "/facts":
            self._send_json(HTTPStatus.OK, self._facts())
        elif path in FILES:
            file, kind = FILES[path]
            self._send(HTTPStatus.OK, kind, file.read_bytes())
        else:
            raise _RequestError(HTTPStatus.NOT_FOUND, "There is no such page.")

    def _post(self) -> None:
        parts = urlsplit(self.path)
        path, query = parts.path, dict(parse_qsl(parts.query))
        if path != "/segment":
            raise _RequestError(HTTPStatus.NOT_FOUND, "There is no such page.")
        self._check_origin()
        length = self._length()
        if not self.server.seats.acquire(blocking=False):
            self._skip(length)
            raise _RequestError(HTTPStatus.SERVICE_UNAVAILABLE, _BUSY)
        try:
            status, answer = self._segment(self._read(length), query)
        finally:
            self.server.seats.release()
        self._send(status, _JSON, answer)

    def _segment(
        self, content: bytes, query: Mapping[str, str]
    ) -> tuple[HTTPStatus, bytes]:
        strength = _number(query.get("strength", "0"))
        try:
            try:
                answer = self.server.demo.segment(
                    content, query.get("model", ""), strength
                )
            except UploadError as error:
                return HTTPStatus.UNPROCESSABLE_ENTITY, _json({"error": str(error)})
            except (OSError, ValueError) as error:
                return HTTPStatus.BAD_REQUEST, _json({"error": str(error)})
            return HTTPStatus.OK, _json(answer.as_data())
        # Any: a photo too large for the device ends in an error of the backend's own,
        # and one too large for the memory may end in its pictures.
        except Exception as error:
            message = f"The model failed. {type(error).__name__}: {error}"
            return HTTPStatus.INTERNAL_SERVER_ERROR, _json({"error": message})

    def _facts(self) -> dict[str, Any]:
        return {
            "models": [
                {"name": c.name, "about": c.about, "classes": c.class_names}
                for c in self.server.demo.choices
            ],
            "examples": [{"file": f, "title": t} for f, t in EXAMPLES.items()],
            "max_bytes": MAX_BYTES,
            "too_large": too_large(),
            "max_strength": MAX_STRENGTH,
        }

    def _check_host(self) -> None:
        try:
            name = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        except ValueError:
            name = ""
        if not self.server.serves(name):
            raise _RequestError(
                HTTPStatus.FORBIDDEN, f"This server is not {name or 'named'}."
            )

    def _check_origin(self) -> None:
        origin = self.headers.get("Origin")
        if origin not in (None, f"http://{self.headers['Host']}"):
            raise _RequestError(HTTPStatus.FORBIDDEN, "Only the page itself may ask.")

    def _length(self) -> int:
        try:
            length = int(self.headers["Content-Length"])
        except (TypeError, ValueError):
            message = "The length of the photo is missing."
            raise _RequestError(HTTPStatus.LENGTH_REQUIRED, message) from None
        if length > MAX_BYTES:
            raise _RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large())
        return max(length, 0)

    def _read(self, length: int) -> bytes:
        content = self.rfile.read(length)
        if len(content) < length:
            raise _RequestError(
                HTTPStatus.BAD_REQUEST, "The photo did not arrive whole."
            )
        return content

    def _skip(self, length: int) -> None:
        # In small pieces, not held: whoever is still sending does not see an answer.
        while length > 0 and (piece := self.rfile.read(min(length, _PIECE))):
            length -= len(piece)

    def _fail(self, status: HTTPStatus, message: str) -> None:
        # What was sent beside it is not read: no other request can follow.
        self.close_connection = True
        self._send_json(status, {"error": message})

    def _send_json(self, status: HTTPStatus, data: Any) -> None:
        self._send(status, _JSON, _json(data))

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(content))}
        if self.close_connection:
            headers["Connection"] = "close"
        for name, value in {**headers, **_HEADERS}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _json(data: Any) -> bytes:
    return json.dumps(data).encode()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = f"`strength` must be a number. Received: strength={text!r}"
        raise _RequestError(HTTPStatus.BAD_REQUEST, message) from None
