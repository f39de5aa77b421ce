"""Files that Keras saved: what loads, and every way in which a file can be wrong."""

import io
import json
import pathlib
import zipfile
from collections.abc import Callable
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from keras_deeplab import DeepLabV3
from keras_deeplab.weights import load_model
from tests.weights.refusal import check_refused

CONFIG, WEIGHTS = "config.json", "model.weights.h5"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a small model."""
    model = DeepLabV3("mobilenet_v3_small", alpha=0.35, filters=8, classes=3)
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model.save(path)
    return path.read_bytes()


def write(folder: pathlib.Path, content: bytes) -> pathlib.Path:
    path = folder / "model.keras"
    path.write_bytes(content)
    return path


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archived(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_config(content: bytes, **changes: Any) -> bytes:
    """The file with other arguments of its model."""
    parts = members(content)
    config = json.loads(parts[CONFIG])
    config["config"].update(changes)
    return archived({**parts, CONFIG: json.dumps(config).encode()})


def with_weights(content: bytes, change: Callable[[h5py.File], object]) -> bytes:
    """The file with other arrays."""
    parts = members(content)
    weights = io.BytesIO(parts[WEIGHTS])
    with h5py.File(weights, "r+") as file:
        change(file)
    return archived({**parts, WEIGHTS: weights.getvalue()})


@pytest.mark.parametrize("compiled", [False, True])
def test_saved_model_comes_back_equal(compiled: bool, tmp_path: pathlib.Path) -> None:
    model = DeepLabV3(
        "mobilenet_v2", alpha=0.35, filters=8, classes=3, class_names=("a", "b", "c")
    )
    images = np.random.default_rng(0).uniform(-1, 1, (2, 33, 33, 3))
    if compiled:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss)
        model.optimizer.build(model.trainable_variables)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = load_model(str(path))
    assert loaded.class_names == ("a", "b", "c")
    np.testing.assert_array_equal(loaded(images), model(images))


def test_other_keras_model_is_refused(tmp_path: pathlib.Path) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    check_refused(tmp_path / "model.keras", "not a Sequential")


def test_keras_model_with_code_in_it_is_refused(tmp_path: pathlib.Path) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x)])
    model.save(tmp_path / "model.keras")
    check_refused(tmp_path / "model.keras", "Lambda")


@pytest.mark.parametrize(
    ("changes", "mention"),
    [
        ({"backbone": "alexnet"}, "backbone='alexnet'"),
        ({"classes": 4}, "logits"),
        ({"classes": -1}, "classes=-1"),
        ({"surprise": 1}, "surprise"),
        ({"classifier_activation": {"class_name": "Lambda", "module": "os"}}, "os"),
    ],
)
def test_saved_model_of_other_arguments_is_refused(
    changes: dict[str, Any], mention: str, saved: bytes, tmp_path: pathlib.Path
) -> None:
    check_refused(write(tmp_path, with_config(saved, **changes)), mention)


def first_array(file: h5py.File) -> h5py.Dataset:
    names: list[str] = []
    file.visit(names.append)
    return next(file[name] for name in names if isinstance(file[name], h5py.Dataset))


def remove_array(file: h5py.File) -> None:
    del file[first_array(file).name]


def reshape_array(file: h5py.File) -> None:
    array = first_array(file)
    name, values = array.name, array[...]
    del file[name]
    file[name] = values[..., :-1]


def remove_branches(file: h5py.File) -> None:
    for name in set(file["layers/aspp"]) - {"_tail"}:
        del file["layers/aspp"][name]


DAMAGES = {
    "missing": remove_array,
    "misshapen": reshape_array,
    "extra": lambda file: file.create_dataset("layers/other/vars/0", data=[1.0]),
    "branches_missing": remove_branches,
    "all_missing": lambda file: file.clear(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_saved_model_of_other_arrays_is_refused(
    damage: str, saved: bytes, tmp_path: pathlib.Path
) -> None:
    check_refused(write(tmp_path, with_weights(saved, DAMAGES[damage])))


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_saved_model_without_a_part_is_refused(
    name: str, saved: bytes, tmp_path: pathlib.Path
) -> None:
    parts = members(saved)
    del parts[name]
    check_refused(write(tmp_path, archived(parts)), name)


def test_saved_model_cut_short_anywhere_is_refused(
    saved: bytes, tmp_path: pathlib.Path
) -> None:
    for cut in np.linspace(0, len(saved) - 1, 20).astype(int):
        check_refused(write(tmp_path, saved[:cut]))
