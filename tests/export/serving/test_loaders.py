"""SavedModels in what stands behind a server: the C++ loader, `saved_model_cli`."""

import io
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.export.conftest import Served
from tests.export.image_files import BROKEN, JPEG, PNG
from tests.export.serving.c_session import CSession

IMAGE = np.random.default_rng(0).integers(0, 256, (2, 41, 57, 3), "uint8")


@pytest.fixture(scope="module")
def session(served: Served) -> CSession:
    return CSession(served.folder)


def test_cpp_loader_answers_as_python_does(served: Served, session: CSession) -> None:
    assert set(session.signatures) >= {
        *("serving_default", "probabilities", "serve_bytes"),
    }
    for name in ("serving_default", "probabilities"):
        (expected,) = served.saved.signatures[name](image=tf.constant(IMAGE)).values()
        np.testing.assert_allclose(session.run(name, IMAGE), expected, atol=1e-6)
    files = [PNG, JPEG]
    (expected,) = served.saved.signatures["serve_bytes"](
        image_bytes=tf.constant(files)
    ).values()
    for file, wanted in zip(session.run("serve_bytes", files), expected, strict=True):
        np.testing.assert_array_equal(decoded(file), decoded(wanted.numpy()))


def decoded(file: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(file)))


def test_cpp_loader_refuses_broken_files_and_answers_the_next(
    session: CSession,
) -> None:
    (expected,) = session.run("serve_bytes", [PNG])
    for content, message in BROKEN.values():
        with pytest.raises(RuntimeError, match=message):
            session.run("serve_bytes", [content])
        assert session.run("serve_bytes", [PNG]) == [expected]


def saved_model_cli(*arguments: object) -> str:
    program = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli"]
    done = subprocess.run(
        [*program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_saved_model_cli_runs_the_default_signature(
    served: Served, tmp_path: pathlib.Path
) -> None:
    np.save(tmp_path / "image.npy", IMAGE)
    chosen = ("--dir", served.folder, "--tag_set", "serve")
    chosen += ("--signature_def", "serving_default")
    told = saved_model_cli("show", *chosen)
    assert "dtype: DT_UINT8 shape: (-1, -1, -1, 3)" in " ".join(told.split())
    saved_model_cli(
        *("run", *chosen, "--outdir", tmp_path),
        *("--inputs", f"image={tmp_path / 'image.npy'}"),
    )
    (expected,) = served.saved.signatures["serving_default"](
        image=tf.constant(IMAGE)
    ).values()
    np.testing.assert_array_equal(np.load(tmp_path / "labels.npy"), expected)
