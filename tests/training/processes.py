"""Other processes of a test: trainings on replicas, and workers that train together."""

import json
import os
import pathlib
import socket
import subprocess
import sys
from collections.abc import Sequence

FOLDER = pathlib.Path(__file__).parent
ROOT = FOLDER.parents[1]


def start(worker: str, *words: object, **environment: str) -> subprocess.Popen[str]:
    """Starts a script of this folder."""
    return subprocess.Popen(
        [sys.executable, str(FOLDER / worker), *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Waits for the end: the exit status, and what was said of errors."""
    _, errors = process.communicate(timeout=300)
    return process.returncode, errors


def run_together(worker: str, *words: Sequence[object]) -> list[tuple[int, str]]:
    """How the workers of one cluster end, of which each has its own arguments."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in _free_ports(len(words))]}
    started = []
    for index, own in enumerate(words):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": cluster, "task": task})
        started.append(start(worker, *own, TF_CONFIG=config))
    return [end(each) for each in started]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
