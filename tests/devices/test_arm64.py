"""Exported files on ARM64, which QEMU runs, against the same on this machine."""

import pathlib
import sys
from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from keras_deeplab.export import LiteModel
from keras_deeplab.export.tflite_file import read_model, write_model
from tests.devices.conftest import agreement, installed, program, run

WORKER = pathlib.Path(__file__).with_name("lite_worker.py")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def answers(
    exported: Callable[[str], pathlib.Path],
    pixels: np.ndarray,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, np.ndarray]]:
    """Answers of each file, by machine."""
    qemu = program("qemu-aarch64-static")
    root, site = installed("arm64", "root"), installed("arm64", "site")
    folder = tmp_path_factory.mktemp("arm64")
    files = [exported(form) for form in ("labels", "int8", "delegate")]
    inputs = {file.stem: LiteModel(file).preprocess(pixels) for file in files}
    files.append(network_alone(exported("int8"), folder / "network.tflite"))
    inputs["network"] = pixels
    np.savez(folder / "inputs.npz", **inputs)
    # Whatever newer instructions QEMU can do, LiteRT must not use: 8-bit sums come out
    # wrong under `-cpu max`.
    arm64 = (qemu, "-cpu", "cortex-a76", "-L", root, root / "usr/bin/python3", "-S")
    found = {}
    for python, packages in (((sys.executable,), ""), (arm64, str(site))):
        environment = {"PYTHONPATH": packages} if packages else {}
        out = folder / f"{len(found)}.npz"
        words = (*python, WORKER, folder / "inputs.npz", out, *files)
        machine = run(*words, **environment)
        with np.load(out) as arrays:
            found[machine] = dict(arrays)
    return found


def network_alone(int8: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    """Writes an 8-bit file without the float operations behind its network."""
    model = read_model(int8.read_bytes())
    (graph,) = model.subgraphs
    types = [graph.tensors[each.outputs[0]].type for each in graph.operators]
    last = max(i for i, kind in enumerate(types) if kind == schema.TensorType.INT8)
    graph.operators = graph.operators[: last + 1]
    graph.outputs = graph.operators[-1].outputs
    model.signatureDefs = None
    out.write_bytes(write_model(model))
    return out


def test_int8_network_gives_the_bits_that_it_gives_here(
    answers: dict[str, dict[str, np.ndarray]],
) -> None:
    here, arm64 = answers.values()
    assert "aarch64" in answers
    assert here["network"].dtype == np.int8
    assert len(np.unique(here["network"])) > 100
    np.testing.assert_array_equal(arm64["network"], here["network"])


def test_int8_labels_are_those_of_here_but_where_two_tie(
    answers: dict[str, dict[str, np.ndarray]],
) -> None:
    here, arm64 = answers.values()
    # Classes of one 8-bit score tie at some pixels between, which the resize of the
    # answer, in float, decides by how it rounds.
    share = agreement("ARM64, QEMU", "int8", arm64["int8"], here["int8"], "LiteRT here")
    assert share > 0.9999


def test_float_files_give_the_same_but_for_rounding(
    answers: dict[str, dict[str, np.ndarray]], keras_logits: np.ndarray
) -> None:
    arm64, expected = answers["aarch64"], keras_logits.argmax(axis=-1)
    np.testing.assert_allclose(arm64["delegate"], keras_logits, rtol=1e-4, atol=1e-3)
    for form, labels in (
        ("delegate", arm64["delegate"].argmax(axis=-1)),
        ("labels", arm64["labels"]),
    ):
        assert agreement("ARM64, QEMU", form, labels, expected, "Keras") > 0.999
