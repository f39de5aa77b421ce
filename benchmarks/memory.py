"""How much more memory a process holds while it does one thing. Linux only."""

import multiprocessing
import pathlib
import sys
from collections.abc import Callable
from typing import TypeVar

sys.path.append(str(pathlib.Path(__file__).parent / "workers"))

import serve

MIB = 2**20
Answer = TypeVar("Answer")


def peak_of(run: Callable[[], object]) -> tuple[float, float]:
    """MiB that this process holds before, and at its peak while it runs."""
    # Forgets the peak so far.
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = serve.peak_bytes() / MIB
    run()
    return before, serve.peak_bytes() / MIB


def alone(function: Callable[..., Answer], *arguments: object) -> Answer:
    """Calls a function in a process that did nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(function, arguments)
