"""What the tests need from outside the package, and what happens without it."""

import os
import pathlib
import subprocess
import sys
from typing import NoReturn

import pytest

ROOT = pathlib.Path(__file__).parents[1]


def lack(need: str, reason: str) -> NoReturn:
    """Skips, or fails where `KERAS_DEEPLAB_REQUIRE_<need>` is 1, as it is in CI."""
    if os.environ.get(f"KERAS_DEEPLAB_REQUIRE_{need}") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def data_dir() -> pathlib.Path:
    """The folder of real photos, VOC pairs and official models."""
    default = ROOT.parent / "shared" / "data"
    folder = pathlib.Path(os.environ.get("KERAS_DEEPLAB_TEST_DATA", default))
    if not folder.is_dir():
        lack("DATA", f"No test data: KERAS_DEEPLAB_TEST_DATA={str(folder)!r}")
    return folder.resolve()


@pytest.fixture(scope="session")
def backends_python() -> str:
    """An interpreter that has JAX and PyTorch, the other backends of Keras."""
    python = os.environ.get("KERAS_DEEPLAB_BACKENDS_PYTHON", sys.executable)
    probe = [python, "-c", "import jax, torch"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        lack("BACKENDS", "No JAX and PyTorch: pip install 'keras-deeplab[backends]'")
    return python
