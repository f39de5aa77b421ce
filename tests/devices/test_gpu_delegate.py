"""Exported files on the GPU delegate, whose GPU is SwiftShader, in software."""

import pathlib
import sys
from collections.abc import Callable

import numpy as np
import pytest

from keras_deeplab.export import LiteModel
from tests.devices.conftest import lack_of, run

WORKER = pathlib.Path(__file__).with_name("webgpu_worker.py")
# It comes with Debian's Chromium. Mesa's lavapipe lacks what the delegate needs.
SWIFTSHADER = pathlib.Path("/usr/lib/chromium/vk_swiftshader_icd.json")

pytestmark = pytest.mark.slow


def test_delegate_form_runs_on_the_gpu_whole_and_agrees(
    exported: Callable[[str], pathlib.Path],
    pixels: np.ndarray,
    keras_logits: np.ndarray,
    tmp_path: pathlib.Path,
) -> None:
    if not SWIFTSHADER.exists():
        lack_of(str(SWIFTSHADER))
    files = [exported(form) for form in ("delegate", "delegate_float16")]
    inputs = {file.stem: LiteModel(file).preprocess(pixels) for file in files}
    np.savez(tmp_path / "inputs.npz", **inputs)
    out = tmp_path / "out.npz"
    words = (sys.executable, WORKER, tmp_path / "inputs.npz", out, *files)
    said = run(*words, VK_ICD_FILENAMES=str(SWIFTSHADER))
    assert {f"{file.stem} True" for file in files} <= set(said.splitlines())
    with np.load(out) as answers:
        expected = keras_logits.argmax(axis=-1)
        np.testing.assert_allclose(
            answers["delegate"], keras_logits, rtol=1e-4, atol=1e-3
        )
        assert (answers["delegate"].argmax(axis=-1) == expected).all()
        assert (answers["delegate_float16"].argmax(axis=-1) == expected).mean() > 0.99
