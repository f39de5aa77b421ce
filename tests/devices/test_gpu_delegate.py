"""Exported files on the GPU delegate, whose GPU is SwiftShader, in software."""

import pathlib
import sys
from collections.abc import Callable

import numpy as np
import pytest

from keras_deeplab.export import LiteModel
from tests.devices.conftest import agreement, lack_of, run

WORKER = pathlib.Path(__file__).with_name("webgpu_worker.py")
# It comes with Debian's Chromium. Mesa's lavapipe lacks what the delegate needs.
SWIFTSHADER = pathlib.Path("/usr/lib/chromium/vk_swiftshader_icd.json")

pytestmark = pytest.mark.slow


@pytest.fixture
def on_gpu(
    exported: Callable[[str], pathlib.Path], pixels: np.ndarray, tmp_path: pathlib.Path
) -> Callable[..., dict[str, np.ndarray]]:
    """Gives the answers of forms, of which the GPU must take every operation."""
    if not SWIFTSHADER.exists():
        lack_of(str(SWIFTSHADER))

    def answers_of(*forms: str) -> dict[str, np.ndarray]:
        files = [exported(form) for form in forms]
        inputs = {file.stem: LiteModel(file).preprocess(pixels) for file in files}
        np.savez(tmp_path / "inputs.npz", **inputs)
        out = tmp_path / "out.npz"
        words = (sys.executable, WORKER, tmp_path / "inputs.npz", out, *files)
        said = run(*words, VK_ICD_FILENAMES=str(SWIFTSHADER))
        assert {f"{form} True" for form in forms} <= set(said.splitlines())
        with np.load(out) as answers:
            return dict(answers)

    return answers_of


def test_delegate_form_runs_on_the_gpu_whole_and_agrees(
    on_gpu: Callable[..., dict[str, np.ndarray]], keras_logits: np.ndarray
) -> None:
    answers = on_gpu("delegate", "delegate_float16")
    expected = keras_logits.argmax(axis=-1)
    np.testing.assert_allclose(answers["delegate"], keras_logits, rtol=1e-4, atol=1e-3)
    for form, least in (("delegate", 0.9999), ("delegate_float16", 0.99)):
        labels = answers[form].argmax(axis=-1)
        share = agreement("GPU delegate", form, labels, expected, "Keras")
        assert share >= least


@pytest.mark.xfail(
    strict=True,
    reason="Where no logit is positive, the delegate's ARG_MAX finds the zeros with "
    "which it fills channels up to a multiple of four. `delegate` has no ARG_MAX.",
)
def test_labels_form_on_the_gpu_agrees(
    on_gpu: Callable[..., dict[str, np.ndarray]], keras_logits: np.ndarray
) -> None:
    labels = on_gpu("labels")["labels"]
    expected = keras_logits.argmax(axis=-1)
    assert agreement("GPU delegate", "labels", labels, expected, "Keras") == 1
