"""A server that was not written here, asked by the client over HTTP.

It is KServe's, with a SavedModel behind it: TensorFlow Serving has no package.
"""

import contextlib
import io
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.conftest import lack
from tests.export.conftest import Served
from tests.export.image_files import BROKEN, PNG, WHOLE
from tests.export.serving.example import load_example

client, load = load_example("client"), load_example("load")

_SCRIPT = pathlib.Path(__file__).with_name("kserve_server.py")
_SECONDS_TO_START = 120


def kserve_python(folder: pathlib.Path) -> str:
    """A Python that has KServe, which asks for older packages than we need."""
    if given := os.environ.get("KERAS_DEEPLAB_KSERVE_PYTHON"):
        return given
    if os.environ.get("KERAS_DEEPLAB_TEST_INSTALLS") != "1":
        lack("SERVING", "No KServe: KERAS_DEEPLAB_TEST_INSTALLS=1 installs it")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    # All else is taken from where TensorFlow lies.
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "base.pth").write_text(str(pathlib.Path(tf.__file__).parents[1]))
    install = ("install", "--quiet", "--no-compile", "kserve>=0.21")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), *install], check=True
    )
    return str(python)


@contextlib.contextmanager
def kserve(served: Served, folder: pathlib.Path) -> Iterator[tuple[Any, str]]:
    """The process of a server, and its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    log = folder / "log.txt"
    with log.open("w") as file:
        command = [kserve_python(folder / "venv"), _SCRIPT]
        command += [served.folder, served.name, port]
        process = subprocess.Popen(
            [str(word) for word in command], stdout=file, stderr=file
        )
    address = f"127.0.0.1:{port}"
    try:
        wait_for(f"http://{address}/v1/models/{served.name}", process, log)
        yield process, address
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str, process: Any, log: pathlib.Path) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.3)
    pytest.fail(log.read_text()[-3000:])


def status(server: str, body: bytes) -> int:
    """The HTTP status of an answer."""
    request = urllib.request.Request(
        f"http://{server}/v1/models/street:predict",
        body,
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def signed(**body: object) -> bytes:
    return json.dumps({"signature_name": "serve_bytes", **body}).encode()


NO_REQUESTS = [
    b"",
    b"{",
    b"[]",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    signed(),
    signed(instances=[{}]),
    signed(instances=["text"]),
    signed(instances=[{"image_bytes": 3}]),
    signed(instances=[{"image_bytes": {"b64": "?"}}]),
    signed(signature_name="no such", instances=[{"image_bytes": {"b64": ""}}]),
]


@pytest.mark.slow
def test_server_under_load_and_attack_answers_as_python_does(
    served: Served, tmp_path: pathlib.Path
) -> None:
    names = list(WHOLE)
    answers = served.saved.signatures["serve_bytes"](
        image_bytes=tf.constant(list(WHOLE.values()))
    )["labels_bytes"]
    expected = dict(zip(names, map(decoded, answers.numpy()), strict=True))
    # Twice as many whole files as broken ones, in an order like any other.
    order = np.random.default_rng(0).permutation([*names * 4, *list(BROKEN) * 2])
    files = {**WHOLE, **{name: content for name, (content, _) in BROKEN.items()}}

    with kserve(served, tmp_path) as (process, server):

        def ask(photo: bytes) -> bytes:
            return client.ask_rest(server, served.name, photo)

        found = load.put_load(ask, [files[name] for name in order], concurrency=8)
        errors = 2 * len(BROKEN)
        assert found.summary().startswith(f"{len(order)} requests, {errors} errors, ")
        for name, answer in zip(order, found.answers, strict=True):
            if name in WHOLE:
                np.testing.assert_array_equal(decoded(answer), expected[name])
            else:
                assert isinstance(answer, client.ServingError), name
        for body in NO_REQUESTS:
            assert status(server, body) >= 400, body[:100]
            np.testing.assert_array_equal(decoded(ask(PNG)), expected["png"])
        check_pixels(served, server)
        assert process.poll() is None


def check_pixels(served: Served, server: str) -> None:
    """`serving_default`, by the lists of numbers that REST has for pixels."""
    image = np.random.default_rng(0).integers(0, 256, (2, 33, 41, 3), "uint8")
    body = json.dumps({"instances": [{"image": each.tolist()} for each in image]})
    request = urllib.request.Request(
        f"http://{server}/v1/models/street:predict",
        body.encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        labels = json.load(answer)["predictions"]
    (expected,) = served.saved.signatures["serving_default"](
        image=tf.constant(image)
    ).values()
    np.testing.assert_array_equal(labels, expected)


def decoded(file: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(file)))
