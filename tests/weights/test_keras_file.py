"""Files that Keras saved: what loads, and every way in which a file can be wrong."""

import io
import json
import pathlib
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from keras_deeplab import DeepLabV3
from keras_deeplab.weights import load_model
from tests.weights.refusal import check_refused
from tests.weights.zip_members import archived, members

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


# Code, and what would run it.


def touching(folder: pathlib.Path) -> pathlib.Path:
    """The file that the code of these tests makes, if it ever runs."""
    return folder / "it_ran"


def lambda_of(code: Callable[..., Any]) -> dict[str, Any]:
    """A function as Keras saves it: as its code."""
    value = keras.saving.serialize_keras_object(code)
    assert value["class_name"] == "__lambda__"
    return value


def layer_of(code: Callable[..., Any]) -> dict[str, Any]:
    layer = keras.layers.Lambda(code, output_shape=(4,))
    return keras.saving.serialize_keras_object(layer)


def called(module: str, name: str) -> Callable[[pathlib.Path], dict[str, Any]]:
    """Asks Keras for a function of another module, by every name it looks at."""

    def make(marker: pathlib.Path) -> dict[str, Any]:
        return {
            "module": module,
            "class_name": name,
            "registered_name": f"{module}>{name}",
            "config": {"args": [f"touch {marker}"], "name": f"open('{marker}', 'w')"},
        }

    return make


def code_that_touches(marker: pathlib.Path) -> Callable[..., Any]:
    place = str(marker)
    # By its default, for only code and defaults are saved.
    return lambda x, place=place: open(place, "w").close() or x


HOSTILE: dict[str, Callable[[pathlib.Path], dict[str, Any]]] = {
    "lambda": lambda marker: lambda_of(code_that_touches(marker)),
    "lambda layer": lambda marker: layer_of(code_that_touches(marker)),
    "eval": called("builtins", "eval"),
    "exec": called("builtins", "exec"),
    "system": called("os", "system"),
    "popen": called("subprocess", "Popen"),
    "keras": called("keras.utils", "get_file"),
    "saved model": called("keras.layers", "TFSMLayer"),
}


@pytest.fixture(params=[False, True], ids=["safe", "unsafe"])
def unsafe(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the user has told Keras to run what files hold."""
    if request.param:
        keras.config.enable_unsafe_deserialization()
    yield request.param
    keras.backend.clear_session()


@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")
@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("place", ["whole", "classifier_activation", "dtype"])
def test_keras_file_with_code_is_refused_and_the_code_does_not_run(
    hostile: str, place: str, saved: bytes, tmp_path: pathlib.Path, unsafe: bool
) -> None:
    marker = touching(tmp_path)
    described = HOSTILE[hostile](marker)
    if place == "whole":
        parts = members(saved)
        content = archived({**parts, CONFIG: json.dumps(described).encode()})
    else:
        content = with_config(saved, **{place: described})
    check_refused(write(tmp_path, content), described["class_name"])
    assert not marker.exists()


@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")
def test_code_of_these_tests_runs_where_keras_is_let(tmp_path: pathlib.Path) -> None:
    marker = touching(tmp_path)
    described = lambda_of(code_that_touches(marker))
    keras.saving.deserialize_keras_object(described, safe_mode=False)(1)
    assert marker.exists()


@pytest.mark.parametrize("source", ["deeplabv3_mobilenet_v2_pascal_voc", "other.keras"])
def test_keras_file_that_names_other_weights_is_refused(
    source: str, saved: bytes, tmp_path: pathlib.Path
) -> None:
    content = with_config(saved, weights=source)
    check_refused(write(tmp_path, content), "must not name `weights`")


@pytest.mark.parametrize(
    ("changes", "mention"),
    [
        ({"backbone": "alexnet"}, "backbone='alexnet'"),
        ({"classes": 4}, "logits"),
        ({"classes": -1}, "classes=-1"),
        ({"surprise": 1}, "surprise"),
        ({"filters": 10**9}, "filters=1000000000"),
        ({"classes": 10**12}, "classes=1000000000000"),
        ({"alpha": 1e9}, "alpha=1000000000.0"),
        ({"alpha": float("nan")}, "alpha=nan"),
        ({"input_shape": [10**9, 10**9, 3]}, "input_shape"),
        ({"atrous_rates": [1] * 10**5}, "atrous_rates"),
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


def promise_array(file: h5py.File) -> None:
    file.create_dataset("layers/other/vars/0", (2**40,), chunks=(2**10,))


def move_array(file: h5py.File) -> None:
    name = first_array(file).name
    shape, kind = file[name].shape, file[name].dtype
    del file[name]
    where = [("/etc/passwd", 0, h5py.h5f.UNLIMITED)]
    file.create_dataset(name, shape, kind, external=where)


def pack_array(file: h5py.File) -> None:
    name = first_array(file).name
    shape = file[name].shape
    del file[name]
    file.create_dataset(name, shape, compression="gzip", data=np.zeros(shape))


def remove_branches(file: h5py.File) -> None:
    for name in set(file["layers/aspp"]) - {"_tail"}:
        del file["layers/aspp"][name]


DAMAGES = {
    "missing": remove_array,
    "misshapen": reshape_array,
    "extra": lambda file: file.create_dataset("layers/other/vars/0", data=[1.0]),
    "branches_missing": remove_branches,
    "all_missing": lambda file: file.clear(),
    "undeclared": promise_array,
    "elsewhere": move_array,
    "packed": pack_array,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_saved_model_of_other_arrays_is_refused(
    damage: str, saved: bytes, tmp_path: pathlib.Path
) -> None:
    check_refused(write(tmp_path, with_weights(saved, DAMAGES[damage])))


def test_saved_model_with_another_file_in_it_is_refused(
    saved: bytes, tmp_path: pathlib.Path
) -> None:
    content = archived({**members(saved), "assets/evil": b"evil"})
    check_refused(write(tmp_path, content), "and nothing else")


def test_saved_model_that_is_packed_is_refused(
    saved: bytes, tmp_path: pathlib.Path
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members(saved).items():
            archive.writestr(name, content)
    check_refused(write(tmp_path, file.getvalue()), "it is packed")


# Weights alone.


@pytest.fixture(scope="module")
def weights_only(saved: bytes) -> bytes:
    return members(saved)[WEIGHTS]


def load_weights(
    folder: pathlib.Path, content: bytes, classes: int = 3, filters: int = 8
) -> DeepLabV3:
    path = folder / "a.weights.h5"
    path.write_bytes(content)
    return DeepLabV3(
        "mobilenet_v3_small", alpha=0.35, filters=filters, classes=classes, weights=path
    )


def test_weights_of_a_saved_model_come_back(
    saved: bytes, weights_only: bytes, tmp_path: pathlib.Path
) -> None:
    expected = load_model(write(tmp_path, saved)).get_weights()
    found = load_weights(tmp_path, weights_only).get_weights()
    for old, new in zip(expected, found, strict=True):
        np.testing.assert_array_equal(old, new)


def test_weights_for_other_classes_come_back_but_for_the_classifier(
    saved: bytes, weights_only: bytes, tmp_path: pathlib.Path
) -> None:
    expected = load_model(write(tmp_path, saved))
    with pytest.warns(UserWarning, match="all are kept but the 2 of the classifier"):
        found = load_weights(tmp_path, weights_only, classes=5)
    assert found.output_shape[-1] == 5
    for old, new in zip(expected.weights, found.weights, strict=True):
        if not old.path.startswith("logits"):
            np.testing.assert_array_equal(np.asarray(old), np.asarray(new))


def test_weights_of_another_width_are_refused(
    weights_only: bytes, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(ValueError, match=r"Received: weights='.*a\.weights\.h5'$"):
        load_weights(tmp_path, weights_only, filters=16)


@pytest.mark.parametrize("damage", DAMAGES)
def test_weights_of_another_model_are_refused(
    damage: str, saved: bytes, tmp_path: pathlib.Path
) -> None:
    content = members(with_weights(saved, DAMAGES[damage]))[WEIGHTS]
    with pytest.raises(ValueError, match=r"Received: weights='.*a\.weights\.h5'$"):
        load_weights(tmp_path, content)


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
