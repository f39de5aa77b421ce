"""The same weights give the same logits on TensorFlow, JAX and PyTorch."""

import pathlib

import numpy as np
import pytest

from tests import backends_worker
from tests.checks import run_on_backend


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
    worker = pathlib.Path(__file__).with_name("backends_worker.py")
    found = run_on_backend(backends_python, worker, out, backend)
    assert set(found) == set(expected)
    for name, logits in expected.items():
        assert np.abs(logits).max() > 0.1
        np.testing.assert_allclose(found[name], logits, atol=1e-4, err_msg=name)
