from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.weights import bad_server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[bad_server.BadServer]:
    # Loopback is reached directly, whatever the machine has for a proxy.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with bad_server.running() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder, empty, and no mirror."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", str(folder))
    monkeypatch.delenv("KERAS_DEEPLAB_MIRROR", raising=False)
    return folder
