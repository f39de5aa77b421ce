"""A web server on loopback that can misbehave in every way a download may meet."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ETAG = '"one"'

Answer = Callable[[BaseHTTPRequestHandler], None]


class BadServer:
    """Answers each path as told and remembers who asked for what."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, str | None]] = []
        # Set when the test is over: a hanging answer ends with it.
        self.over = threading.Event()
        self._lock = threading.Lock()
        bad = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.close_connection = True
                with contextlib.suppress(OSError):
                    bad._next_answer(self)(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def add(self, path: str, *answers: Answer) -> str:
        """Gives a path its answers in turn, the last for ever; returns its url."""
        self.answers[path] = list(answers)
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{path}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    def ranges(self) -> list[str | None]:
        return [asked for _, asked in self.requests]

    def stop(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _next_answer(self, request: BaseHTTPRequestHandler) -> Answer:
        path = request.path.lstrip("/")
        with self._lock:
            self.requests.append((path, request.headers["Range"]))
            answers = self.answers.get(path, [status(404)])
            return answers.pop(0) if len(answers) > 1 else answers[0]


def head(request: BaseHTTPRequestHandler, code: int, headers: dict[str, Any]) -> None:
    request.send_response(code)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), str(value))
    request.send_header("Connection", "close")
    request.end_headers()


def status(code: int, **headers: Any) -> Answer:
    return lambda request: head(request, code, {"Content-Length": 0, **headers})


def serve(
    data: bytes,
    *,
    etag: str | None = ETAG,
    stop: int | None = None,
    length: int | None = None,
    ranges: bool = True,
    if_range: bool = True,
) -> Answer:
    """Serves bytes, well or, by the arguments, badly.

    `stop` is the byte at which the connection drops, `length` a lie about how many
    there are; without `ranges` it always sends all; without `if_range` it goes on in
    the middle even if the file is another by now.
    """

    def answer(request: BaseHTTPRequestHandler) -> None:
        first = 0
        asked, known = request.headers["Range"], request.headers["If-Range"]
        if ranges and asked and (known == etag or not if_range):
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
        if first > len(data) - 1:
            return status(416)(request)
        total = len(data) if length is None else length
        headers: dict[str, Any] = {"Content-Length": total - first}
        if etag:
            headers["ETag"] = etag
        if first:
            headers["Content-Range"] = f"bytes {first}-{total - 1}/{total}"
        head(request, 206 if first else 200, headers)
        request.wfile.write(data[first:stop])

    return answer


def chunked(data: bytes, *, end: bool = True) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        head(request, 200, {"Transfer-Encoding": "chunked"})
        request.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if end:
            request.wfile.write(b"0\r\n\r\n")

    return answer


def unframed(data: bytes) -> Answer:
    """Neither says how long it is nor where it ends."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        head(request, 200, {})
        request.wfile.write(data)

    return answer


def raw(data: bytes) -> Answer:
    return lambda request: void(request.wfile.write(data))


def hang(server: BadServer, data: bytes = b"", sent: int = 0) -> Answer:
    """Sends the first bytes, if any, and then nothing more."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        if sent:
            head(request, 200, {"Content-Length": len(data), "ETag": ETAG})
            request.wfile.write(data[:sent])
        server.over.wait(20)

    return answer


def trickle(server: BadServer, opening: bytes) -> Answer:
    """Sends a byte now and then: no single wait is ever long."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(opening)
        end = time.monotonic() + 20
        while not server.over.wait(0.02) and time.monotonic() < end:
            request.wfile.write(b"a")

    return answer


def slowly(data: bytes, seconds: float) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        head(request, 200, {"Content-Length": len(data)})
        request.wfile.write(data[:10])
        time.sleep(seconds)
        request.wfile.write(data[10:])

    return answer


def void(*_: object) -> None:
    pass


@contextlib.contextmanager
def running() -> Iterator[BadServer]:
    server = BadServer()
    try:
        yield server
    finally:
        server.stop()
