"""Official models, read once; a server that misbehaves, and a cache folder."""

import pathlib
from collections.abc import Iterator

import numpy as np
import pytest

from tests.weights import bad_server, npz_files, tflite_files


@pytest.fixture(scope="session")
def official(data_dir: pathlib.Path) -> pathlib.Path:
    """The folder of official models."""
    return data_dir / "models" / "deeplab"


@pytest.fixture(scope="session")
def official_arrays(official: pathlib.Path) -> npz_files.Arrays:
    """The arrays of the width-1.0 model; copy the dict before changing it."""
    with np.load(official / npz_files.OFFICIAL) as archive:
        return dict(archive)


@pytest.fixture(scope="session")
def official_tflite(official: pathlib.Path) -> bytes:
    """The file of the width-0.5 model."""
    return (official / tflite_files.OFFICIAL).read_bytes()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[bad_server.BadServer]:
    # Loopback is reached directly, whatever the machine has for a proxy.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with bad_server.running() as running:
        yield running


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The cache folder, empty, and no mirror."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", str(folder))
    monkeypatch.delenv("KERAS_DEEPLAB_MIRROR", raising=False)
    return folder
