"""The server in this process, asked as a browser and as an attacker asks."""

import base64
import contextlib
import http.client
import io
import json
import pathlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image

import keras_deeplab
from keras_deeplab.demo import Answer, Demo, DemoServer, demo_handler, upload
from tests.inference.color_model import NAMES, ColorModel

PAGE = pathlib.Path(demo_handler.__file__).with_name("page")
SEGMENT = "/segment?model=colors&strength=0"

Ask = Callable[..., tuple[int, Mapping[str, str], bytes]]


@pytest.fixture
def server(demo: Demo) -> Iterator[DemoServer]:
    with DemoServer(demo) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(server: DemoServer) -> Ask:
    def ask(
        method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection(*server.server_address[:2], timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, dict(response.headers), content

    return ask


def test_answer_has_the_labels_of_segment(
    ask: Ask, photo: np.ndarray, png: bytes, model: ColorModel
) -> None:
    status, headers, content = ask("POST", SEGMENT, png)
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    answer = json.loads(content)
    file = base64.b64decode(answer["labels"].partition(",")[2])
    with Image.open(io.BytesIO(file)) as labels:
        expected = keras_deeplab.segment(model, photo)
        np.testing.assert_array_equal(labels, expected)
    assert answer["network_ms"] > 0
    assert answer["crf_ms"] is None
    refined = json.loads(ask("POST", SEGMENT.replace("=0", "=1"), png)[2])
    assert refined["crf_ms"] > 0
    assert refined["labels"] != answer["labels"]
    assert not refined["network_ran"]


def test_page_and_facts_are_served(ask: Ask) -> None:
    for path, kind, text in (
        ("/", "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        ("/app.js", "text/javascript; charset=utf-8", b"./camera.js"),
        ("/camera.js", "text/javascript; charset=utf-8", b"getUserMedia"),
        ("/style.css", "text/css; charset=utf-8", b"prefers-color-scheme"),
    ):
        status, headers, content = ask("GET", path)
        assert (status, headers["Content-Type"]) == (200, kind)
        assert text in content
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    facts = json.loads(ask("GET", "/facts")[2])
    assert [model["name"] for model in facts["models"]] == ["colors", "other"]
    assert facts["models"][0]["classes"] == list(NAMES)
    assert len(facts["examples"]) == 3
    for example in facts["examples"]:
        content = ask("GET", f"/examples/{example['file']}")[2]
        assert Image.open(io.BytesIO(content)).format == "JPEG"


@pytest.mark.parametrize(
    ("body", "path", "status", "message"),
    [
        (b"no photo", SEGMENT, 422, "The file is not an image"),
        (b"", SEGMENT, 422, "The file is empty"),
        (b"x", "/segment?model=none", 400, "`model` must be one of colors, other"),
        (b"x", "/segment?model=colors&strength=9", 400, "`strength` must lie in"),
        (b"x", "/segment?model=colors&strength=no", 400, "must be a number"),
        (b"x", "/segment?model=colors&strength=nan", 400, "`strength` must lie in"),
        (b"x", "/else", 404, "no such page"),
    ],
)
def test_question_that_has_no_answer_is_told_why(
    ask: Ask, png: bytes, body: bytes, path: str, status: int, message: str
) -> None:
    found, _, content = ask("POST", path, body)
    assert found == status
    assert message in json.loads(content)["error"]
    # The server goes on.
    assert ask("POST", SEGMENT, png)[0] == 200


@pytest.mark.parametrize("path", ["/../setup.py", "/examples/../README.md", "/page/"])
def test_nothing_else_is_served(ask: Ask, path: str) -> None:
    assert ask("GET", path)[0] == 404


def test_model_that_breaks_down_is_reported_and_the_server_goes_on(
    ask: Ask, png: bytes, model: ColorModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(model, "predict_on_batch", lambda x: 1 / 0)
        status, _, content = ask("POST", SEGMENT, png)
    assert status == 500
    assert json.loads(content)["error"].startswith("The model failed. ZeroDivisionErr")
    assert ask("POST", SEGMENT, png)[0] == 200


@pytest.mark.parametrize("error", [MemoryError, OSError, ValueError])
def test_answer_that_cannot_be_made_is_reported_and_the_server_goes_on(
    ask: Ask, png: bytes, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(_: Answer) -> None:
        raise error("encoder")

    with monkeypatch.context() as patch:
        patch.setattr(Answer, "as_data", fail)
        status, _, content = ask("POST", SEGMENT, png)
    assert status == 500
    said = json.loads(content)["error"]
    assert said == f"The model failed. {error.__name__}: encoder"
    assert ask("POST", SEGMENT, png)[0] == 200


def test_photos_beyond_the_few_that_are_held_are_refused_until_there_is_room(
    ask: Ask, server: DemoServer, png: bytes
) -> None:
    # More than a connection takes before it is read.
    large = bytes(2**24)
    head = f"POST {SEGMENT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            address = server.server_address[:2]
            waiting = stack.enter_context(socket.create_connection(address))
            waiting.sendall(head.encode())
        # Three wait for the rest of their photo: there is room for one.
        assert [ask("POST", SEGMENT, png)[0] for _ in range(5)] == [200] * 5
        last = stack.enter_context(socket.create_connection(address))
        last.sendall(head.encode())
        until(lambda: ask("POST", SEGMENT, png)[0] == 503)
        status, _, content = ask("POST", SEGMENT, large)
        assert status == 503
        assert json.loads(content)["error"].startswith("Too many photos are waiting.")
        assert ask("GET", "/facts")[0] == 200
    until(lambda: ask("POST", SEGMENT, png)[0] == 200)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "", "[", "10.0.0.1"]
)
def test_request_to_another_host_is_refused(ask: Ask, png: bytes, host: str) -> None:
    for method, path, body in (("GET", "/facts", None), ("POST", SEGMENT, png)):
        status, _, content = ask(method, path, body, Host=host)
        assert status == 403
        assert "This server is not" in json.loads(content)["error"]


@pytest.mark.parametrize("host", ["localhost", "LocalHost:9", "127.0.0.1", "[::1]:80"])
def test_request_by_a_name_of_this_machine_is_answered(ask: Ask, host: str) -> None:
    # Of any port: a tunnel has its own.
    assert ask("GET", "/", Host=host)[0] == 200


def test_page_from_elsewhere_may_not_ask(
    ask: Ask, server: DemoServer, png: bytes, model: ColorModel
) -> None:
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        assert ask("POST", SEGMENT, png, Origin=origin)[0] == 403
    assert not model.seen
    assert ask("POST", SEGMENT, png, Origin=server.url.rstrip("/"))[0] == 200


def raw(server: DemoServer, request: str) -> str:
    """What the server says to bytes, until it closes the connection."""
    with socket.create_connection(server.server_address[:2], timeout=20) as connection:
        connection.sendall(request.encode())
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile().read()


@pytest.mark.parametrize(
    ("length", "status"),
    [
        ("", 411),
        ("Content-Length: many\r\n", 411),
        (f"Content-Length: {upload.MAX_BYTES + 1}\r\n", 413),
        ("Content-Length: 1000\r\n", 400),
        ("Content-Length: -1\r\n", 422),
    ],
)
def test_photo_without_a_right_length_is_refused(
    server: DemoServer, length: str, status: int
) -> None:
    said = raw(server, f"POST {SEGMENT} HTTP/1.1\r\nHost: localhost\r\n{length}\r\nab")
    assert said.startswith(f"HTTP/1.1 {status} ")


def test_connection_that_is_cut_leaves_no_trace(
    server: DemoServer, png: bytes, ask: Ask, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        connection = socket.create_connection(server.server_address[:2])
        head = f"POST {SEGMENT} HTTP/1.1\r\nHost: localhost\r\n"
        connection.sendall(f"{head}Content-Length: {len(png)}\r\n\r\n".encode() + png)
        # Closed at once and with a reset: the answer cannot be written.
        linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.close()
    assert ask("POST", SEGMENT, png)[0] == 200
    assert capfd.readouterr().err == ""


def test_everywhere_answers_to_addresses_and_its_own_name(demo: Demo) -> None:
    with DemoServer(demo, "0.0.0.0") as server:
        assert server.serves("10.0.0.1")
        assert server.serves(socket.gethostname().lower())
        assert not server.serves("evil.example")
        assert server.url == f"http://127.0.0.1:{server.server_address[1]}/"


def test_page_asks_for_nothing_from_elsewhere() -> None:
    names = {path.name for path in PAGE.iterdir()}
    assert names == {"app.js", "camera.js", "index.html", "style.css"}
    for name in names:
        text = (PAGE / name).read_text(encoding="utf-8")
        code = re.sub(r"^\s*// .*$", "", text, flags=re.M)
        assert not re.search(r"[\w-]+://|[\"'(`]//|@import", code), name
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'(?:src|href)="([^"]*)"', page)) == {
        "data:,",
        "style.css",
        "app.js",
    }


def test_every_control_of_the_page_has_a_name() -> None:
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    labelled = set(re.findall(r'<label for="([^"]*)"', page))
    controls: list[Any] = re.findall(r"<(?:input|select)\b[^>]*>", page)
    assert len(controls) == 5
    for control in controls:
        (name,) = re.findall(r'\bid="([^"]*)"', control)
        assert name in labelled or "aria-label=" in control
