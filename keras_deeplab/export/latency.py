"""How fast TFLite files run here."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_deeplab.layers import arguments

_WORKER = Path(__file__).with_name("latency_worker.py")
_RUNS = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Latency:
    """Times of one file with one number of threads.

    Args:
        file: The file's name.
        threads: Threads of LiteRT.
        runs: How often it ran.
        median_ms: Half of the runs took less, in milliseconds.
        p10_ms: A tenth took less.
        p90_ms: A tenth took more.
    """

    file: str
    threads: int
    runs: int
    median_ms: float
    p10_ms: float
    p90_ms: float


def measure_latency(
    files: Sequence[str | os.PathLike[str]],
    *,
    threads: Sequence[int] = (1, 2),
    seconds: float = 5.0,
) -> tuple[Latency, ...]:
    """Times TFLite files with LiteRT, in a process of their own.

    The files take turns, one run each, so that what else the machine does meets all of
    them alike. Compare medians of one call, not of two.

    Args:
        files: `.tflite` files.
        threads: Numbers of threads to try.
        seconds: Time for each file and number of threads; five runs at least.

    Returns:
        A row for each number of threads and file.

    Raises:
        ValueError: If a file cannot be run, or an argument is not positive.
    """
    paths = [os.fspath(file) for file in files]
    for count in threads:
        arguments.positive(threads=count)
    times = _run(paths, threads, seconds)["times"]
    return tuple(
        summary(Path(path).name, count, own)
        for count, of_count in zip(threads, times, strict=True)
        for path, own in zip(paths, of_count, strict=True)
    )


def measure_peak(file: str | os.PathLike[str]) -> int | None:
    """How much memory a TFLite file needs to run, itself included.

    Args:
        file: A `.tflite` file.

    Returns:
        Bytes by which the peak of a process grows that loads and runs it with one
        thread; `None` where the system does not tell.

    Raises:
        ValueError: If the file cannot be run.
    """
    return _run([os.fspath(file)], [1], 0.0)["peak_bytes"]


def _run(files: Sequence[str], threads: Sequence[int], seconds: float) -> Any:
    task = {"files": list(files), "threads": list(threads), "seconds": seconds}
    done = subprocess.run(
        [sys.executable, str(_WORKER), json.dumps(task)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise ValueError(
            f"`files` cannot be run by LiteRT: {reason}. Received: files={list(files)}"
        )
    return json.loads(done.stdout)


def timed(file: str, threads: int, run: Callable[[], object]) -> Latency:
    """Times an export that runs in this process.

    Args:
        file: The export's name.
        threads: Threads that it runs with; 0 for what it finds.
        run: Runs it once.

    Returns:
        A row of five runs.
    """
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return summary(file, threads, times)


def summary(file: str, threads: int, times: Sequence[float]) -> Latency:
    """Sums the milliseconds of some runs up."""
    low, middle, high = np.percentile(times, (10, 50, 90)).tolist()
    return Latency(
        file=file,
        threads=threads,
        runs=len(times),
        median_ms=middle,
        p10_ms=low,
        p90_ms=high,
    )
