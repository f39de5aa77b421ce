"""The same weights give the same logits on TensorFlow, JAX and PyTorch."""

import os
import pathlib
import subprocess

import numpy as np
import pytest

from tests import backends_worker

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    return backends_worker.answers()


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_logits_of_each_family_on_another_backend_equal_tensorflows(
    backend: str,
    expected: dict[str, np.ndarray],
    backends_python: str,
    tmp_path: pathlib.Path,
) -> None:
    out = tmp_path / "answers.npz"
    command = [backends_python, str(ROOT / "tests" / "backends_worker.py"), str(out)]
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    with np.load(out) as found:
        assert set(found.files) == set(expected)
        for name, logits in expected.items():
            assert np.abs(logits).max() > 0.1
            np.testing.assert_allclose(found[name], logits, atol=1e-4, err_msg=name)
