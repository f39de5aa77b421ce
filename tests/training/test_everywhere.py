"""Training arrives at the same numbers on every backend."""

import pathlib

import numpy as np
import pytest

from tests.checks import run_on_backend
from tests.training import training_worker

FOLDER = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    return training_worker.answers()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_trainings_on_another_backend_arrive_where_tensorflow_does(
    backend: str,
    expected: dict[str, np.ndarray],
    backends_python: str,
    tmp_path: pathlib.Path,
) -> None:
    out = tmp_path / "answers.npz"
    found = run_on_backend(backends_python, FOLDER / "training_worker.py", out, backend)
    assert set(found) == set(expected)
    for name, numbers in expected.items():
        np.testing.assert_allclose(found[name], numbers, atol=1e-4, err_msg=name)
