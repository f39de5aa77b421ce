"""Training arrives at the same numbers on every backend."""

import os
import pathlib
import subprocess

import numpy as np
import pytest

from tests.training import training_worker

FOLDER = pathlib.Path(__file__).parent
ROOT = FOLDER.parents[1]


def run(python: str, worker: str, out: pathlib.Path, backend: str) -> dict:
    command = [python, str(FOLDER / worker), str(out)]
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with np.load(out) as found:
        return dict(found)


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
    found = run(backends_python, "training_worker.py", out, backend)
    assert set(found) == set(expected)
    for name, numbers in expected.items():
        np.testing.assert_allclose(found[name], numbers, atol=1e-4, err_msg=name)
