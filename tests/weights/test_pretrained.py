"""The argument `weights`, from the name through the download to the logits."""

import hashlib
import importlib
import io
import json
import pathlib
import tarfile
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab import DeepLabV3
from keras_deeplab.weights import load_model
from keras_deeplab.weights.convert import load_official
from keras_deeplab.weights.download_error import DownloadError
from tests.weights import tf1_graphs as tf1
from tests.weights.bad_server import BadServer, serve, status
from tests.weights.test_tf1_parity import mobilenet_case

CASE = mobilenet_case(0.35, 16)
NAME, BACKBONE = "deeplabv3_mobilenet_v2_035_pascal_voc", "mobilenet_v2_035_imagenet"
# Of the package `weights`, `manifest` may also be the function.
MANIFEST = importlib.import_module("keras_deeplab.weights.manifest")

ROW: dict[str, Any] = {
    "name": NAME,
    "dataset": "pascal_voc",
    "model": "DeepLabV3",
    "arguments": {"backbone": "mobilenet_v2", "alpha": 0.35, "atrous_rates": []},
    "file": "model.tar.gz",
    "urls": [],
    "bytes": None,
    "stated_size": None,
    "digest": None,
    "algorithm": None,
    "licence": "Apache-2.0",
    "origin": "these tests",
    "converter": "tf1",
    "preprocessing": "symmetric",
    "class_names": "pascal_voc",
    "output_stride": 16,
    # A crop of 33, as that of the case.
    "image_pooling_window": [3, 3],
    "published": None,
    "measured": None,
}
BACKBONE_ROW: dict[str, Any] = {
    **ROW,
    "name": BACKBONE,
    "dataset": "imagenet",
    "model": None,
    "arguments": {"backbone": "mobilenet_v2", "alpha": 0.35},
    "file": "backbone.tar.gz",
    "class_names": None,
    "output_stride": None,
    "image_pooling_window": None,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tf1.Written:
    return CASE.written(tmp_path_factory.mktemp("official"))


@pytest.fixture(scope="module")
def packed(written: tf1.Written) -> bytes:
    """The checkpoint as it is published."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for path in written.checkpoint.parent.glob("model.ckpt*"):
            archive.add(path, f"deeplab/{path.name}")
    return file.getvalue()


@pytest.fixture(scope="module")
def reference(written: tf1.Written) -> keras.Model:
    """The network with the checkpoint's weights, by another way."""
    model = CASE.model(crop_size=CASE.crop, **CASE.arguments)
    load_official(written.checkpoint, model)
    return model


@pytest.fixture
def zoo(
    server: BadServer,
    home: pathlib.Path,
    packed: bytes,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[BadServer]:
    """Two rows, and a server that has their files."""
    stated = {
        "bytes": len(packed),
        "digest": hashlib.sha256(packed).hexdigest(),
        "algorithm": "sha256",
    }
    rows = [
        {**row, **stated, "urls": [server.add(row["file"], serve(packed))]}
        for row in (ROW, BACKBONE_ROW)
    ]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"$schema": "", "schema": 1, "weights": rows}))
    monkeypatch.setattr(MANIFEST, "MANIFEST", str(path))
    MANIFEST.manifest.cache_clear()
    yield server
    MANIFEST.manifest.cache_clear()


def visible(home: pathlib.Path) -> list[str]:
    return sorted(path.name for path in home.iterdir() if path.name[0] != ".")


def assert_same(found: keras.Model, expected: keras.Model, paths: set[str]) -> None:
    values = {weight.path: np.asarray(weight) for weight in expected.weights}
    for weight in found.weights:
        if weight.path in paths:
            np.testing.assert_array_equal(np.asarray(weight), values[weight.path])


def paths_of(model: keras.Model) -> set[str]:
    return {weight.path for weight in model.weights}


# What comes of a name.


@pytest.mark.parametrize(
    "build",
    [
        lambda: DeepLabV3("mobilenet_v2", weights=NAME),
        lambda: DeepLabV3("mobilenet_v2", weights="pascal_voc"),
        lambda: load_model(NAME),
    ],
    ids=["name", "data set", "load_model"],
)
def test_model_by_name_answers_as_the_graph(
    build: Any, zoo: BadServer, home: pathlib.Path, written: tf1.Written
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = build()
    scale = np.abs(written.answer).max()
    answer = np.asarray(model(written.image))
    np.testing.assert_allclose(answer, written.answer, atol=1e-4 * scale)
    assert model.crop_size == CASE.crop
    assert model.class_names[1] == "aeroplane"
    assert model.get_config()["alpha"] == 0.35
    assert zoo.paths() == ["model.tar.gz"]
    assert visible(home) == ["model.tar.gz"]


def test_model_by_name_for_other_classes_keeps_all_but_the_classifier(
    zoo: BadServer, reference: keras.Model
) -> None:
    kept = len(reference.weights)
    said = (
        f"{NAME} is of another number of classes: of the {kept} weights, all are kept "
        "but the 2 of the classifier, which starts anew for 5 classes"
    )
    with pytest.warns(UserWarning, match=said):
        model = DeepLabV3("mobilenet_v2", weights=NAME, classes=5)
    fresh = {"logits/kernel", "logits/bias"}
    assert paths_of(model) == paths_of(reference)
    assert_same(model, reference, paths_of(reference) - fresh)
    assert model.get_layer("logits").kernel.shape[-1] == 5
    assert model.class_names is None


@pytest.mark.parametrize("source", [BACKBONE, "imagenet"])
def test_model_by_name_of_a_backbone_takes_that_alone(
    source: str, zoo: BadServer, reference: keras.Model
) -> None:
    model = DeepLabV3(
        "mobilenet_v2", alpha=0.35, atrous_rates=(), classes=5, weights=source
    )
    head = {p for p in paths_of(model) if p.startswith(("aspp", "logits"))}
    assert 0 < len(head) < len(model.weights)
    assert_same(model, reference, paths_of(model) - head)
    before = np.asarray(reference.get_layer("aspp").weights[0])
    assert not np.array_equal(np.asarray(model.get_layer("aspp").weights[0]), before)
    assert zoo.paths() == ["backbone.tar.gz"]


def test_model_by_name_at_another_stride_keeps_every_weight(
    zoo: BadServer, reference: keras.Model
) -> None:
    model = DeepLabV3("mobilenet_v2", weights=NAME, output_stride=8)
    assert model.output_stride == 8
    assert_same(model, reference, paths_of(reference))


# What does not suit, and is known before anything is asked for.


UNSUITABLE: list[dict[str, Any]] = [
    {"backbone": "mobilenet_v2", "weights": "no_such_name"},
    {"backbone": "mobilenet_v2", "weights": "cityscapes"},
    {"backbone": "resnet50_beta", "weights": NAME},
    {"backbone": "mobilenet_v2", "weights": NAME, "alpha": 0.5},
    {"backbone": "mobilenet_v2", "weights": NAME, "atrous_rates": (6, 12, 18)},
    {"backbone": "mobilenet_v2", "weights": "imagenet", "alpha": 1.0},
    {"backbone": "resnet50_beta", "weights": "imagenet"},
]


@pytest.mark.parametrize("arguments", UNSUITABLE, ids=str)
def test_weights_that_do_not_suit_are_refused_unasked_and_those_there_are_listed(
    arguments: dict[str, Any], zoo: BadServer, home: pathlib.Path
) -> None:
    with pytest.raises(ValueError, match=r"^`weights` .*Received: weights=") as caught:
        DeepLabV3(**arguments)
    assert NAME in str(caught.value)
    assert f"{BACKBONE} (imagenet)" in str(caught.value)
    assert zoo.requests == []
    assert list(home.iterdir()) == []


def test_weights_of_another_shape_are_refused_unasked(zoo: BadServer) -> None:
    problem = r"'aspp/.*' has the shape \(1, 1, 112, 256\), in the model .*128\)"
    with pytest.raises(ValueError, match=problem):
        DeepLabV3("mobilenet_v2", weights=NAME, filters=128)
    assert zoo.requests == []


@pytest.mark.parametrize("option", [{"dropout": 0.5}, {"momentum": 0.9}], ids=str)
def test_arguments_that_change_no_weight_keep_the_weights(
    option: dict[str, Any], zoo: BadServer, reference: keras.Model
) -> None:
    model = DeepLabV3("mobilenet_v2", weights=NAME, **option)
    assert_same(model, reference, paths_of(reference))


def test_backbone_by_its_own_name_decides_the_backbone(zoo: BadServer) -> None:
    model = DeepLabV3(weights=BACKBONE, classes=3)
    assert (model.backbone, model.get_config()["alpha"]) == ("mobilenet_v2", 0.35)


def test_class_of_ones_own_takes_the_weights_of_its_parent(
    zoo: BadServer, reference: keras.Model
) -> None:
    class Mine(DeepLabV3):
        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)

    assert_same(Mine(weights=NAME), reference, paths_of(reference))


@pytest.mark.parametrize("weights", [5, True, b"x", "no_such_file.keras"])
def test_weights_that_are_neither_name_nor_file_are_refused(weights: Any) -> None:
    with pytest.raises(ValueError, match=r"^`weights` .*Received: weights="):
        DeepLabV3("mobilenet_v2", weights=weights)


def test_weights_of_another_class_are_refused_unasked(zoo: BadServer) -> None:
    with pytest.raises(ValueError, match="is of DeepLabV3, mobilenet_v2"):
        keras_deeplab.LRASPP("mobilenet_v3_small", weights=NAME)
    assert zoo.requests == []


@pytest.mark.parametrize(
    "wrong",
    [{"classes": 0}, {"class_names": ("a",)}, {"resize_mode": "tear"}],
    ids=["classes", "class_names", "resize_mode"],
)
def test_wrong_arguments_are_refused_before_the_download(
    wrong: dict[str, Any], zoo: BadServer
) -> None:
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must"):
        DeepLabV3("mobilenet_v2", weights=NAME, **wrong)
    assert zoo.requests == []


def test_load_model_by_the_name_of_a_backbone_says_what_to_do(zoo: BadServer) -> None:
    with pytest.raises(ValueError, match="is a backbone alone: give a model"):
        load_model(BACKBONE)
    assert zoo.requests == []


# What fails.


@pytest.mark.parametrize(
    "answer",
    [status(404), serve(b"wrong"), serve(b"wrong", length=5000)],
    ids=["none", "wrong", "cut"],
)
def test_download_that_fails_in_the_constructor_leaves_nothing(
    answer: Any, zoo: BadServer, home: pathlib.Path
) -> None:
    zoo.add("model.tar.gz", answer)
    with pytest.raises(DownloadError, match=r"Fetch it from http.* Received: "):
        DeepLabV3("mobilenet_v2", weights=NAME)
    assert visible(home) == []


@pytest.mark.parametrize("files", [{}, {"a.txt": b"a"}, {"a.index": b"a"}], ids=str)
def test_archive_of_something_else_is_refused_and_leaves_nothing_unpacked(
    files: dict[str, bytes],
    zoo: BadServer,
    home: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    row = {**ROW, "urls": [zoo.add("model.tar.gz", serve(file.getvalue()))]}
    content = {"$schema": "", "schema": 1, "weights": [row]}
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    with (
        pytest.warns(UserWarning, match="No digest is published"),
        pytest.raises(ValueError, match=rf"`weights` cannot .*weights='{NAME}'$"),
    ):
        DeepLabV3("mobilenet_v2", weights=NAME)
    assert visible(home) == ["model.tar.gz"]
    assert not list(tmp_path.glob("keras_deeplab-*"))


# What needs no download.


def test_config_of_a_model_by_name_gives_the_model_without_a_download(
    zoo: BadServer, home: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = load_model(NAME)
    asked = list(zoo.requests)
    for path in home.iterdir():
        path.unlink()
    config = model.get_config()
    assert NAME not in json.dumps(config)
    again = DeepLabV3.from_config(config)
    assert again.get_config() == config
    model.save(tmp_path / "model.keras")
    assert_same(load_model(tmp_path / "model.keras"), model, paths_of(model))
    assert zoo.requests == asked
    assert list(home.iterdir()) == []


def test_config_that_names_weights_is_refused_unasked(zoo: BadServer) -> None:
    config = {"backbone": "mobilenet_v2", "weights": NAME}
    with pytest.raises(ValueError, match="`config` must not name `weights`"):
        DeepLabV3.from_config(config)
    assert zoo.requests == []
