"""Thousands of changed files of every format: each is refused, or read as it is.

In a process of its own, which ends where a file makes it crash, hang, or take memory
without bound. What came of it, and what the changes are, `fuzz_formats.py` tells.
"""

import json
import pathlib
import subprocess
import sys
from typing import Any

import pytest

WORKER = pathlib.Path(__file__).with_name("fuzz_worker.py")
FORMATS = (
    "manifest",
    "checkpoint index",
    "checkpoint data",
    "frozen graph",
    "npz",
    "tflite",
    "keras",
    "weights h5",
    "tar.gz",
)


def fuzz(folder: pathlib.Path, seed: int, factor: int) -> dict[str, Any]:
    worker = subprocess.run(
        [sys.executable, str(WORKER), str(folder), str(seed), str(factor)],
        capture_output=True,
        text=True,
        timeout=300 * factor,
        check=False,
    )
    reports = [json.loads(line) for line in worker.stdout.splitlines()]
    # Of a crash the last lines tell the case.
    assert worker.returncode == 0, worker.stderr[-3000:]
    return {report["format"]: report for report in reports}


def check(report: dict[str, Any]) -> None:
    assert report["wrong"] == []
    assert report["refused"] + report["loaded"] == report["cases"]
    # Or the changes change nothing, or the whole file is refused already.
    assert report["refused"] > report["cases"] / 4
    assert report["loaded"] > 0


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return fuzz(tmp_path_factory.mktemp("fuzz"), seed=0, factor=1)


@pytest.mark.parametrize("name", FORMATS)
def test_changed_files_are_refused_or_read_as_they_are(
    name: str, reports: dict[str, Any]
) -> None:
    check(reports[name])


def test_every_format_is_tried(reports: dict[str, Any]) -> None:
    assert tuple(reports) == FORMATS


@pytest.mark.slow
def test_many_more_changed_files_are_refused_or_read_as_they_are(
    tmp_path: pathlib.Path,
) -> None:
    for report in fuzz(tmp_path, seed=1, factor=5).values():
        check(report)
