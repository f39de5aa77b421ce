"""The client by gRPC, against a service in this process."""

import base64
import contextlib
import http.server
import io
import itertools
import json
import pathlib
import re
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import keras_deeplab
from keras_deeplab import inference
from tests.export.conftest import Served
from tests.export.image_files import BROKEN, PNG, encoded, pixels
from tests.export.serving.example import load_example
from tests.export.serving.prediction_service import PredictionService, listening

client, load = load_example("client"), load_example("load")


@pytest.fixture
def service(served: Served) -> PredictionService:
    return PredictionService(served.name, served.saved)


@pytest.fixture
def server(service: PredictionService) -> Iterator[str]:
    with listening(service) as address:
        yield address


@pytest.fixture
def photo(tmp_path: pathlib.Path) -> pathlib.Path:
    """A camera's photo, which lies on its side, of size 40 x 30."""
    path, exif = tmp_path / "photo.jpg", Image.Exif()
    exif[0x0112] = 6
    path.write_bytes(encoded(pixels("RGB"), "JPEG", quality=95, exif=exif))
    return path


def test_client_writes_labels_and_overlay_of_an_upright_photo(
    served: Served,
    service: PredictionService,
    server: str,
    photo: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, classes = photo.parent / "out", photo.parent / "classes.txt"
    classes.write_text("\n".join(served.model.class_names))
    options = ["--classes", str(classes), "--out", str(out)]
    client.main([str(photo), "--server", server, "--grpc", *options])
    (request,) = service.requests
    assert list(request.output_filter) == ["labels_bytes"]
    labels = inference.read_labels(out / "photo.labels.png")
    expected = keras_deeplab.segment(served.model, photo)
    assert labels.shape == expected.shape == (40, 30)
    assert (labels == expected).mean() > 0.98
    with Image.open(out / "photo.overlay.png") as picture:
        drawn = inference.draw_overlay(
            inference.read_photo(photo), labels, served.model.class_names
        )
        np.testing.assert_array_equal(picture, drawn)
    assert capsys.readouterr().out.split() == [
        str(out / f"photo.{kind}.png") for kind in ("labels", "overlay")
    ]


def test_client_sends_other_formats_as_png(photo: pathlib.Path) -> None:
    whole = photo.with_name("whole.png")
    whole.write_bytes(PNG)
    assert client.upright_file(whole) == PNG
    other = photo.with_suffix(".webp")
    pixels("RGB").save(other, lossless=True)
    for path in (photo, other):
        with Image.open(io.BytesIO(client.upright_file(path))) as sent:
            assert sent.format == "PNG"
            np.testing.assert_array_equal(sent, inference.read_photo(path))


def test_client_takes_messages_beyond_the_limit_of_grpc(
    service: PredictionService, server: str
) -> None:
    service.padding = bytes(5 << 20)
    answer = client.ask_grpc(server, "street", PNG + bytes(5 << 20))
    assert len(answer) > 5 << 20
    assert Image.open(io.BytesIO(answer)).size == (40, 30)


def test_broken_files_are_told_and_the_next_is_answered(server: str) -> None:
    expected = client.ask_grpc(server, "street", PNG)
    for content, message in BROKEN.values():
        with pytest.raises(
            client.ServingError, match=rf"(?s)INVALID_ARGUMENT.*{message}"
        ):
            client.ask_grpc(server, "street", content)
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda _: client.ask_grpc(server, "street", PNG), range(8))
        assert set(answers) == {expected}


def test_client_says_what_is_wrong_with_server_or_model(
    server: str, photo: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(client.ServingError, match="NOT_FOUND: Servable not found"):
        client.ask_grpc(server, "road", PNG)
    with pytest.raises(SystemExit):
        client.main([str(photo), "--server", "127.0.0.1:9"])
    assert "127.0.0.1:9 does not answer" in capsys.readouterr().err


def reply(body: bytes, length: int | None = None) -> bytes:
    """An answer by HTTP, of the length that it claims."""
    size = len(body) if length is None else length
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (size, body)


def predictions(file: bytes) -> bytes:
    found = {"b64": base64.b64encode(file).decode()}
    return json.dumps({"predictions": [found]}).encode()


GOOD = reply(predictions(PNG))
_OTHER = "something else than labels"
BAD = {
    "cut short": (reply(predictions(PNG), 10**6), "not to the end: IncompleteRead"),
    "error cut short": (
        reply(b"{", 9).replace(b"200 OK", b"500 Oh"),
        "not to the end: IncompleteRead",
    ),
    "no HTTP": (b"220 smtp.example.com\r\n", "not to the end"),
    "nothing": (b"", "not to the end"),
    "no JSON": (reply(b"<html>"), _OTHER),
    "no text": (reply(b"\xff\xfe\x00"), _OTHER),
    "deep JSON": (reply(b"[" * 100_000), _OTHER),
    "list": (reply(b"[]"), _OTHER),
    "no predictions": (reply(b"{}"), _OTHER),
    "two predictions": (reply(b'{"predictions": [1, 2]}'), _OTHER),
    "number": (reply(b'{"predictions": [1]}'), _OTHER),
    "no base64": (reply(b'{"predictions": [{"b64": "?"}]}'), _OTHER),
    "no PNG": (reply(predictions(b"GIF89a")), _OTHER),
}


@contextlib.contextmanager
def replying(*replies: bytes) -> Iterator[str]:
    """The address of a server of these answers, one after the other."""
    left = itertools.cycle(replies)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.wfile.write(next(left))

        def log_message(self, *words: object) -> None:
            pass

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("name", BAD)
def test_answer_that_makes_no_sense_is_an_error(name: str) -> None:
    content, message = BAD[name]
    with (
        replying(content) as server,
        pytest.raises(client.ServingError, match=f"^{server} .*{message}"),
    ):
        client.ask_rest(server, "street", PNG)


def test_load_counts_answers_that_make_no_sense_and_goes_on(
    photo: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replies = [content for content, _ in BAD.values()]
    options = ["--requests", str(len(BAD) + 2), "--concurrency", "1"]
    with replying(GOOD, *replies, GOOD) as server:
        load.main([str(photo), "--server", server, *options])
    found, error = capsys.readouterr().out.splitlines()
    assert f" {len(BAD) + 2} requests, {len(BAD)} errors, " in found
    assert "The first error: 127.0.0.1" in error


def test_load_tells_requests_errors_and_times(
    service: PredictionService,
    server: str,
    photo: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--grpc", "--requests", "5", "--concurrency", "2"]
    load.main([str(photo), "--server", server, *options])
    load.main([str(photo), "--server", server, *options, "--model", "road"])
    good, bad, error = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"2 callers: 5 requests, 0 errors, [\d.]+ a second, p50 \d+ ms, p95 \d+ ms",
        good,
    )
    assert "5 requests, 5 errors" in bad
    assert error.startswith("The first error: NOT_FOUND: Servable not found")
    assert len(service.requests) == 10
