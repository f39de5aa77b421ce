"""Replicas, in one process and in several, arrive where one replica does."""

import pathlib
import signal

import numpy as np
import pytest

from keras_deeplab.training import make_strategy
from tests.training import cluster_worker, replicas_worker
from tests.training.processes import end, run_together, start


def load(path: pathlib.Path) -> dict[str, np.ndarray]:
    with np.load(path) as found:
        return dict(found)


def assert_same(found: dict, expected: dict) -> None:
    assert set(found) == set(expected)
    for name, numbers in expected.items():
        np.testing.assert_allclose(found[name], numbers, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_training_on_two_and_four_replicas_arrive_where_one_does(
    tmp_path: pathlib.Path,
) -> None:
    counts = (2, 4)
    workers = [
        start("replicas_worker.py", count, tmp_path / f"{count}.npz")
        for count in counts
    ]
    expected = replicas_worker.trained(make_strategy("none"))
    for worker, count in zip(workers, counts, strict=True):
        code, errors = end(worker)
        assert code == 0, errors
        assert_same(load(tmp_path / f"{count}.npz"), expected)


def train_together(
    folder: pathlib.Path, dying: tuple[int, ...] = ()
) -> list[tuple[int, str]]:
    """How two workers end, of which the second may die in an epoch."""
    return run_together("cluster_worker.py", (folder,), (folder, *dying))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("alone")
    cluster_worker.train(make_strategy("none"), folder, dies_at=-1)
    return load(folder / "0.npz")


@pytest.mark.slow
def test_two_workers_arrive_where_one_process_does(
    alone: dict[str, np.ndarray], tmp_path: pathlib.Path
) -> None:
    for code, errors in train_together(tmp_path):
        assert code == 0, errors
    for worker in range(2):
        assert_same(load(tmp_path / f"{worker}.npz"), alone)


@pytest.mark.slow
def test_two_workers_of_which_one_was_killed_arrive_there_when_restarted(
    alone: dict[str, np.ndarray], tmp_path: pathlib.Path
) -> None:
    (left, errors), (killed, _) = train_together(tmp_path, dying=(2,))
    assert killed == -signal.SIGKILL
    # The other one does not wait, and says why it ends.
    assert left == 1, errors
    assert "Error" in errors
    for code, errors in train_together(tmp_path):
        assert code == 0, errors
    for worker in range(2):
        found = load(tmp_path / f"{worker}.npz")
        assert found.pop("epochs") == cluster_worker.EPOCHS - 2
        assert_same(found, {k: v for k, v in alone.items() if k != "epochs"})
