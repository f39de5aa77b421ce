"""Which weights of the real manifest a call of a model's class stands for."""

import importlib
import pathlib
from typing import Any

import pytest

import keras_deeplab
from keras_deeplab.weights import manifest
from keras_deeplab.weights.pretrained import find_start
from keras_deeplab.weights.remote_file import RemoteFile

# Class, its arguments, and the weights that it takes.
Call = tuple[str, dict[str, Any], str]

CALLS: list[Call] = [
    ("DeepLabV1", {"weights": "imagenet"}, "vgg16_imagenet"),
    (
        "DeepLabV2",
        {"backbone": "resnet101", "weights": "imagenet"},
        "resnet101_imagenet",
    ),
    ("LRASPP", {"weights": "cityscapes"}, "lraspp_mobilenet_v3_large_cityscapes"),
    (
        "LRASPP",
        {"backbone": "mobilenet_v3_small", "weights": "cityscapes"},
        "lraspp_mobilenet_v3_small_cityscapes",
    ),
    (
        "DeepLabV3Plus",
        {"backbone": "xception71", "pyramid": "dpc", "weights": "cityscapes"},
        "deeplabv3plus_xception71_cityscapes",
    ),
    (
        "DeepLabV3Plus",
        {"weights": "cityscapes"},
        "deeplabv3plus_xception65_cityscapes",
    ),
    (
        "DeepLabV3Plus",
        {"weights": "pascal_voc"},
        "deeplabv3plus_xception65_pascal_voc",
    ),
    (
        "DeepLabV3",
        {"backbone": "mobilenet_v2", "weights": "pascal_voc"},
        "deeplabv3_mobilenet_v2_pascal_voc",
    ),
    (
        "DeepLabV3",
        {"backbone": "mobilenet_v2", "alpha": 0.5, "weights": "pascal_voc"},
        "deeplabv3_mobilenet_v2_050_pascal_voc",
    ),
    (
        "DeepLabV3",
        {
            "backbone": "mobilenet_v2",
            "alpha": 0.35,
            "divisible_by": 8,
            "weights": "imagenet",
        },
        "mobilenet_v2_035_imagenet",
    ),
]
# Arguments besides that the weights were not made with, and fit all the same.
FREE_CALLS: list[Call] = [
    (
        "DeepLabV3",
        {"backbone": "resnet101", "weights": "imagenet", "multi_grid": (1, 2, 4)},
        "resnet101_imagenet",
    ),
    (
        "DeepLabV3",
        {"backbone": "resnet101", "weights": "imagenet", "momentum": 0.9},
        "resnet101_imagenet",
    ),
    (
        "DeepLabV1",
        {"weights": "imagenet", "average_pool": False},
        "vgg16_imagenet",
    ),
    (
        "DeepLabV3Plus",
        {"weights": "pascal_voc", "image_pooling": True},
        "deeplabv3plus_xception65_pascal_voc",
    ),
]


class AskedError(Exception):
    """The file that would be downloaded."""


@pytest.fixture(autouse=True)
def no_download(
    home: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(remote: RemoteFile, **options: Any) -> None:
        raise AskedError(remote.name)

    # Of the package `weights`, `fetch_weights` is also the function.
    module = importlib.import_module("keras_deeplab.weights.fetch_weights")
    monkeypatch.setattr(module, "fetch", fetch)
    # Whatever else would fetch finds nothing, and asks no host.
    (tmp_path / "mirror").mkdir()
    monkeypatch.setenv("KERAS_DEEPLAB_MIRROR", str(tmp_path / "mirror"))


def id_of(value: Any) -> str | None:
    if isinstance(value, dict):
        return ",".join(f"{name}={argument}" for name, argument in value.items())
    return None


@pytest.mark.parametrize(("cls", "arguments", "name"), CALLS, ids=id_of)
def test_call_by_data_set_takes_the_weights_that_suit(
    cls: str, arguments: dict[str, Any], name: str
) -> None:
    given = {key: value for key, value in arguments.items() if key != "weights"}
    start = find_start(getattr(keras_deeplab, cls), arguments["weights"], given)
    with pytest.raises(AskedError) as caught:
        start.load(None)
    assert caught.value.args == (manifest()[name].file,)
    assert start.arguments["backbone"] == manifest()[name].backbone


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "arguments", "name"), FREE_CALLS, ids=id_of)
def test_argument_that_changes_no_weight_takes_the_weights_all_the_same(
    cls: str, arguments: dict[str, Any], name: str
) -> None:
    with pytest.raises(AskedError) as caught:
        getattr(keras_deeplab, cls)(**arguments)
    assert caught.value.args == (manifest()[name].file,)


def test_files_tell_weights_apart() -> None:
    files = [row.file for row in manifest().values()]
    assert len({*files}) == len(files)
