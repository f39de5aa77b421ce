"""A process that answers one line of JSON for each it is sent."""

import json
import os
import pathlib
import subprocess
from collections.abc import Mapping
from typing import Any

WORKERS = pathlib.Path(__file__).parent / "workers"


class WorkerError(Exception):
    """What went wrong in the process."""


class Worker:
    """Runs `workers/NAME.py` with the Python of its own environment.

    Several wait side by side, each with its own TensorFlow or PyTorch, and are asked in
    turns. A context manager: leaving it ends the process.
    """

    def __init__(
        self,
        python: str | os.PathLike[str],
        name: str,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            [os.fspath(python), str(WORKERS / "serve.py"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **(variables or {})},
        )

    def ask(self, call: str, **arguments: Any) -> dict[str, Any]:
        """Calls a function of the worker: its `result` and the `seconds` it took."""
        request = json.dumps({"call": call, "arguments": arguments})
        try:
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerError(f"the process ended, code {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
