"""A training by recipe on replicas and on workers arrives where one process does."""

import json
import pathlib
import signal

import numpy as np
import pytest

from keras_deeplab.training import train
from keras_deeplab.training.checkpoints import Checkpoints
from tests.training import tiny_run
from tests.training.processes import end, run_together, start

# Each replica would drop other values; and batch norms over the few pixels of two
# images make every rounding ten times as large at each step.
CHANGES = {
    "arguments.dropout": 0.0,
    "arguments.image_pooling": False,
    "batch_size": 6,
    "optimizer": "sgd",
    "precision": "float64",
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tiny_run.write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def alone(data: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    out = tmp_path_factory.mktemp("alone")
    with pytest.warns(UserWarning, match="6 images are poor"):
        train(tiny_run.recipe(**CHANGES), data, out, verbose=0)
    return out


def words(data: pathlib.Path, out: pathlib.Path) -> tuple[object, ...]:
    return data, out, "--changes", json.dumps(CHANGES)


def assert_same(out: pathlib.Path, alone: pathlib.Path) -> None:
    found, expected = (Checkpoints(each / "checkpoints") for each in (out, alone))
    one, other = found.newest(), expected.newest()
    assert one is not None
    assert other is not None
    assert one.epoch == other.epoch == tiny_run.EPOCHS
    assert len(one.arrays) == len(other.arrays)
    for array, wanted in zip(one.arrays, other.arrays, strict=True):
        np.testing.assert_allclose(array, wanted, atol=1e-5)
    reports = [json.loads((each / "report.json").read_text()) for each in (out, alone)]
    scores = [report["scores"]["last"]["mean_iou"] for report in reports]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    assert [report["replicas"] for report in reports] == [2, 1]
    assert (out / "best.keras").is_file()


def test_run_on_two_replicas_arrives_where_one_does(
    data: pathlib.Path, alone: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    code, errors = end(
        start("tiny_run.py", *words(data, tmp_path / "run"), "--replicas", 2)
    )
    assert code == 0, errors
    assert_same(tmp_path / "run", alone)


def test_run_of_two_workers_of_which_one_was_killed_goes_on_to_the_same(
    data: pathlib.Path, alone: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "run"
    given = words(data, out)
    (left, errors), (killed, _) = run_together(
        "tiny_run.py", given, (*given, "--kill-in", 2)
    )
    assert killed == -signal.SIGKILL
    assert left == 1
    assert "Another worker is gone" in errors
    before = Checkpoints(out / "checkpoints").newest()
    assert before is not None
    assert before.epoch == 2
    rows = (out / "history.csv").read_text().splitlines()[:3]
    resumed = (*given, "--resume")
    for code, errors in run_together("tiny_run.py", resumed, resumed):
        assert code == 0, errors
    assert_same(out, alone)
    # With the seconds that they took.
    assert (out / "history.csv").read_text().splitlines()[:3] == rows


def test_workers_of_which_the_chief_may_not_write_all_end(
    data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine")
    given = words(data, tmp_path / "run")
    chief, other = run_together("tiny_run.py", given, given)
    assert (chief[0], other[0]) == (1, 1)
    assert "`out` must be a new or an empty folder" in chief[1]
    assert "All workers must train the same" in other[1]
    assert [each.name for each in (tmp_path / "run").glob("[!.]*")] == ["mine.txt"]


def test_workers_that_find_different_checkpoints_are_refused(
    data: pathlib.Path, alone: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    theirs, empty = (words(data, out) for out in (alone, tmp_path / "run"))
    for code, errors in run_together("tiny_run.py", (*theirs, "--resume"), empty):
        assert code == 1
        assert "All workers must train the same" in errors
    assert not (tmp_path / "run").exists()
