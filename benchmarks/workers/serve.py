"""Answers the lines of `process.Worker`; runs where a peer is and this project is not.

    python serve.py NAME

`build` of the module NAME makes an object; any other call is to a method of it.
"""

import importlib
import json
import os
import sys
import time
from typing import Any


def peak_bytes() -> int:
    """The most memory that this process has held."""
    with open("/proc/self/status") as status:
        lines = [line for line in status if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) * 1024


class Server:
    """Calls what it is asked to, and times it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._built: Any = None

    def answer(self, call: str, arguments: dict[str, Any]) -> dict[str, Any]:
        start, busy = time.perf_counter(), time.process_time()
        try:
            result = self._call(call, arguments)
        # Whatever goes wrong in a peer is told to the process that asks.
        except Exception as fault:
            lines = str(fault).strip().splitlines() or [""]
            return {"error": f"{type(fault).__name__}: {lines[0][:300]}"}
        return {
            "result": result,
            "seconds": time.perf_counter() - start,
            "processor_seconds": time.process_time() - busy,
            "peak_bytes": peak_bytes(),
        }

    def _call(self, call: str, arguments: dict[str, Any]) -> Any:
        if call == "build":
            self._built = importlib.import_module(self._name).build(**arguments)
            return None
        return getattr(self._built, call)(**arguments)


def main() -> None:
    """Answers until the lines end."""
    # What libraries print is no answer.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    server = Server(sys.argv[1])
    for line in sys.stdin:
        replies.write(json.dumps(server.answer(**json.loads(line))) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
