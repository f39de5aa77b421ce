"""Exported files on ARM64, which QEMU runs, against the same on this machine."""

import pathlib
import sys
from collections.abc import Callable

import numpy as np
import pytest

from keras_deeplab.export import LiteModel
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


def test_int8_file_gives_the_bits_that_it_gives_here(
    answers: dict[str, dict[str, np.ndarray]],
) -> None:
    here, arm64 = answers.values()
    assert set(answers) > {"aarch64"}
    assert len(np.unique(here["int8"])) > 4
    agreement("ARM64, QEMU", "int8", arm64["int8"], here["int8"], "LiteRT here")
    np.testing.assert_array_equal(arm64["int8"], here["int8"])


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
