"""A small manifest, a mirror that holds some of its files, and an empty cache."""

import importlib
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from keras_deeplab.weights import manifest

# Begins as a `.keras` file does.
CONTENT = b"PK, weights"
# By `printf 'PK, weights' | sha256sum`.
SHA256 = "13fba51f8d200f9f74b91f10ec198f3a0e779a37a9aea2d098cc76cf69af292e"

TINY: dict[str, Any] = {
    "name": "tiny_voc",
    "dataset": "pascal_voc",
    "model": "DeepLabV3",
    "arguments": {"backbone": "mobilenet_v2", "atrous_rates": [], "alpha": 0.35},
    "file": "tiny.keras",
    "urls": ["https://example.org/tiny.keras"],
    "bytes": None,
    "stated_size": None,
    "digest": None,
    "algorithm": None,
    "licence": "CC-BY-4.0",
    "origin": "somebody",
    "converter": "keras",
    "preprocessing": "symmetric",
    "class_names": "pascal_voc",
    "output_stride": 16,
    "image_pooling_window": [3, 5],
    "published": [
        {
            "metric": "mIoU",
            "value": 61.5,
            "data": "VOC val",
            "protocol": "one scale",
            "source": "https://example.org/paper",
        },
        {
            "metric": "mIoU",
            "value": 62.75,
            "data": "VOC val",
            "protocol": "flips",
            "source": "https://example.org/paper",
        },
    ],
    "measured": [
        {
            "metric": "mIoU",
            "value": 60.25,
            "data": "VOC val",
            "protocol": "ours",
            "command": "keras-deeplab evaluate ...",
        }
    ],
}
STATED = {
    **TINY,
    "name": "stated_cityscapes",
    "dataset": "cityscapes",
    "model": "LRASPP",
    "arguments": {"backbone": "mobilenet_v3_small"},
    "class_names": "cityscapes",
    "file": "stated.keras",
    "bytes": len(CONTENT),
    "digest": SHA256,
    "algorithm": "sha256",
    "published": None,
    "measured": None,
}
BACKBONE = {
    **TINY,
    "name": "xception65_imagenet",
    "dataset": "imagenet",
    "model": None,
    "arguments": {"backbone": "xception65"},
    "file": "backbone.tar.gz",
    "stated_size": "447MB",
    "converter": "tf1",
    "class_names": None,
    "output_stride": None,
    "image_pooling_window": None,
    "published": None,
    "measured": None,
}
OWN = {**TINY, "name": "own_voc", "file": "own.keras", "urls": []}


@pytest.fixture(autouse=True)
def rows(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """The manifest; what it gives makes another one of the rows that are given."""
    path = tmp_path / "manifest.json"

    def write(*rows: dict[str, Any]) -> None:
        content = {"$schema": "", "schema": 1, "weights": rows}
        path.write_text(json.dumps(content))
        manifest.cache_clear()

    module = importlib.import_module("keras_deeplab.weights.manifest")
    monkeypatch.setattr(module, "MANIFEST", str(path))
    write(TINY, STATED, BACKBONE)
    yield write
    manifest.cache_clear()


@pytest.fixture(autouse=True)
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The cache folder, not there yet."""
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def mirror(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A folder of all the files but the backbone's."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "tiny.keras").write_bytes(CONTENT)
    (folder / "stated.keras").write_bytes(CONTENT)
    monkeypatch.setenv("KERAS_DEEPLAB_MIRROR", str(folder))
    return folder
