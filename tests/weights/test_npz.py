"""Folded arrays: what loads, and every way in which a file can be wrong."""

import pathlib
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from keras_deeplab.weights import load_model
from keras_deeplab.weights.array_archive import MOST_BYTES
from tests.weights.npz_files import (
    Arrays,
    folded_arrays,
    npz_bytes,
    random_model,
    write_npz,
)
from tests.weights.refusal import check_refused

STEM = "MobilenetV2_Conv_Conv2D"
EXPAND = "MobilenetV2_expanded_conv_5_expand_Conv2D"
DEPTHWISE = "MobilenetV2_expanded_conv_5_depthwise_depthwise"
NINTH = "MobilenetV2_expanded_conv_9_depthwise"


@pytest.mark.parametrize("alpha", [0.35, 0.75, 1.3])
def test_arrays_of_any_width_give_the_model_they_came_from(
    alpha: float, tmp_path: pathlib.Path
) -> None:
    model = random_model(alpha, classes=4)
    loaded = load_model(write_npz(tmp_path, folded_arrays(model)))
    assert loaded.get_config()["alpha"] == alpha
    assert loaded.class_names is None
    images = np.random.default_rng(1).uniform(-1, 1, (2, 65, 49, 3))
    expected = np.asarray(model(images))
    tolerance = 1e-5 * np.abs(expected).max()
    np.testing.assert_allclose(loaded(images), expected, atol=tolerance, rtol=0)


def test_arrays_packed_or_in_columns_give_the_same_model(
    official_arrays: Arrays, tmp_path: pathlib.Path
) -> None:
    columns = {name: np.asfortranarray(x) for name, x in official_arrays.items()}
    path = tmp_path / "model.npz"
    path.write_bytes(npz_bytes(columns, packed=True))
    (kernel,) = load_model(path).get_layer("conv").steps[0].get_weights()
    expected = np.transpose(official_arrays[STEM], (1, 2, 3, 0))
    np.testing.assert_array_equal(kernel, expected)


def test_arrays_of_other_classes_load_without_class_names(
    official_arrays: Arrays, tmp_path: pathlib.Path
) -> None:
    logits = {
        name: official_arrays[name][:5]
        for name in ("logits_semantic_Conv2D", "logits_semantic_biases")
    }
    model = load_model(write_npz(tmp_path, official_arrays | logits))
    assert model.classes == 5
    assert model.class_names is None


def shorter(array: np.ndarray) -> np.ndarray:
    return array[:-1]


DAMAGES: dict[str, tuple[Callable[[Arrays], object], str]] = {
    "kernel_missing": (lambda a: a.pop(EXPAND), "expanded_conv_5/expand"),
    "bias_missing": (lambda a: a.pop(f"{EXPAND}_bn_offset"), "expanded_conv_5/expand"),
    "depthwise_missing": (lambda a: a.pop(DEPTHWISE), "expanded_conv_5/depthwise"),
    "both_missing": (
        lambda a: [a.pop(EXPAND), a.pop(f"{EXPAND}_bn_offset")],
        "expanded_conv_5_expand",
    ),
    "head_missing": (
        lambda a: [a.pop("aspp0_Conv2D"), a.pop("aspp0_Conv2D_bn_offset")],
        "'aspp0' is missing",
    ),
    "all_missing": (lambda a: a.clear(), "missing"),
    "extra": (lambda a: a.update(global_step=a[STEM]), "'global_step'"),
    "extra_branch": (
        lambda a: a.update(
            aspp1_Conv2D=a["aspp0_Conv2D"],
            aspp1_Conv2D_bn_offset=a["aspp0_Conv2D_bn_offset"],
        ),
        "'aspp1'",
    ),
    "extra_bottleneck": (
        lambda a: a.update(
            {
                name.replace("_5_", "_17_"): a[name]
                for name in (EXPAND, f"{EXPAND}_bn_offset")
            }
        ),
        "expanded_conv_17/expand",
    ),
    # Of this one the official name is another.
    "second_bias": (
        lambda a: a.update({f"{NINTH}_depthwise_bn_offset": a[f"{NINTH}_depthwise"]}),
        f"{NINTH}_depthwise_bn_offset",
    ),
    "kernel_misshapen": (lambda a: a.update({EXPAND: shorter(a[EXPAND])}), EXPAND),
    "kernel_transposed": (lambda a: a.update({EXPAND: a[EXPAND].T}), EXPAND),
    "kernel_flat": (lambda a: a.update({STEM: a[STEM].ravel()}), STEM),
    "kernel_scalar": (lambda a: a.update({STEM: a[STEM].sum()}), STEM),
    "kernel_empty": (lambda a: a.update({STEM: a[STEM][:0]}), STEM),
    "bias_misshapen": (
        lambda a: a.update({"aspp0_Conv2D_bn_offset": np.ones(1, "float32")}),
        "aspp0_Conv2D_bn_offset",
    ),
    "logits_misshapen": (
        lambda a: a.update(logits_semantic_biases=np.ones(20, "float32")),
        "logits_semantic_Conv2D",
    ),
    "logits_empty": (
        lambda a: a.update(
            logits_semantic_biases=np.ones(0, "float32"),
            logits_semantic_Conv2D=np.ones((0, 1, 1, 256), "float32"),
        ),
        "logits_semantic",
    ),
    "width_unknown": (
        lambda a: a.update({STEM: a[STEM][:20]}),
        "20 filters, of no known width",
    ),
    "renamed": (lambda a: a.update(expand_5=a.pop(EXPAND)), "'expand_5'"),
    "double": (lambda a: a.update({EXPAND: a[EXPAND].astype("float64")}), "float64"),
    "half": (lambda a: a.update({EXPAND: a[EXPAND].astype("float16")}), "float16"),
    "big_endian": (lambda a: a.update({EXPAND: a[EXPAND].astype(">f4")}), ">f4"),
    "not_a_number": (lambda a: a.update({EXPAND: a[EXPAND] * np.nan}), "not finite"),
    "infinite": (lambda a: a.update({EXPAND: a[EXPAND] + np.inf}), "not finite"),
    "objects": (lambda a: a.update({EXPAND: a[EXPAND].astype(object)}), EXPAND),
    "text": (lambda a: a.update({EXPAND: np.array("text")}), EXPAND),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_arrays_damaged_in_any_way_are_refused_by_name(
    damage: str, official_arrays: Arrays, tmp_path: pathlib.Path
) -> None:
    change, mention = DAMAGES[damage]
    arrays = dict(official_arrays)
    change(arrays)
    check_refused(write_npz(tmp_path, arrays), mention)


def test_arrays_cut_short_anywhere_are_refused(
    official_arrays: Arrays, tmp_path: pathlib.Path
) -> None:
    content = npz_bytes(official_arrays)
    path = tmp_path / "model.npz"
    cuts = np.linspace(0, len(content) - 1, 40).astype(int)
    # The list of arrays stands at the end.
    for cut in {*cuts.tolist(), *range(len(content) - 100, len(content), 7)}:
        path.write_bytes(content[:cut])
        check_refused(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"text\n" * 100, b"\0" * 1000])
def test_file_that_is_no_archive_is_refused(
    content: bytes, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    check_refused(path, "not a zip file")


def test_single_array_renamed_to_an_archive_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model.npz"
    with path.open("wb") as file:
        np.save(file, np.ones(3, "float32"))
    check_refused(path)


def npy(header: str, values: bytes = bytes(16), version: int = 1) -> bytes:
    """An array file with that header, be it true or not."""
    line = header.encode() + b"\n"
    return (
        b"\x93NUMPY"
        + bytes((version, 0))
        + struct.pack("<H", len(line))
        + line
        + values
    )


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (5,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (4,)}",
        "{'descr': '<U1000000000', 'fortran_order': False, 'shape': (4,)}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': 4}",
        "__import__('os')",
        "(" * 5000,
        "",
    ],
)
def test_array_whose_header_lies_is_refused_in_little_memory(
    header: str, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{STEM}.npy", npy(header))
    assert peak_of(lambda: check_refused(path)) < 2**22


class Code:
    """What `pickle` makes, when asked to, by running code."""

    def __init__(self, marker: pathlib.Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return pathlib.Path.touch, (self.marker,)


def test_array_of_pickled_objects_is_refused_and_its_code_does_not_run(
    tmp_path: pathlib.Path,
) -> None:
    marker = tmp_path / "it_ran"
    path = write_npz(tmp_path, {STEM: np.array([Code(marker)], dtype=object)})
    check_refused(path, "is object, not float32")
    assert not marker.exists()
    with np.load(path, allow_pickle=True) as archive:
        archive[STEM]
    assert marker.exists()


def test_array_of_another_format_version_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{STEM}.npy", npy("{}", version=9))
    check_refused(path, STEM)


def test_array_that_is_there_twice_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{STEM}.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(f"{STEM}.npy", b"")
    check_refused(path, "same name")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_array_packed_without_a_bound_is_refused(
    method: int, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(f"{STEM}.npy", bytes(100))
    check_refused(path, STEM)


def test_array_that_unpacks_to_more_than_it_says_is_refused_in_little_memory(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "model.npz"
    size = 2**25
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{STEM}.npy", bytes(size))
    content = path.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", 99))
    path.write_bytes(content)
    assert peak_of(lambda: check_refused(path)) < 2**20


def test_arrays_that_unpack_to_too_much_are_refused_in_little_memory(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "model.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{STEM}.npy", "w") as file,
    ):
        for _ in range(MOST_BYTES // 2**20 + 1):
            file.write(bytes(2**20))
    assert peak_of(lambda: check_refused(path)) < 2**20


def peak_of(action: Callable[[], None]) -> int:
    """How many bytes Python and NumPy hold at most during the action."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
