"""Times TFLite files, one run of each after the other; a script of its own.

    python latency_worker.py '{"files": [...], "threads": [1], "seconds": 5}'

It runs in a process that holds nothing but LiteRT, since TensorFlow's threads and
memory would count too, and prints JSON: for each file and number of threads the
milliseconds of every run, and how much the process's memory grew.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

_PHOTO = Path(__file__).parents[1] / "assets" / "astronaut.jpg"

_WARM_UPS = 2
_FEWEST, _MOST = 5, 200
# After a run LiteRT's threads keep a core busy for 3 ms in the hope of more work. The
# file whose turn is next would be the slower for it.
_REST_SECONDS = 0.005


def _pixels(shape: tuple[int, ...], dtype: Any) -> Any:
    """A photo, since labels take the longer the more edges they have; or noise."""
    if len(shape) == 4 and shape[3] == 3:
        with Image.open(_PHOTO) as photo:
            values = np.array(photo.convert("RGB").resize((shape[2], shape[1])))
    else:
        values = np.random.default_rng(0).integers(0, 256, shape)
    if dtype.kind == "f":
        values = values / 127.5 - 1
    else:
        values = np.minimum(values, np.iinfo(dtype).max)
    return np.broadcast_to(values, shape).astype(dtype)


def _interpreter(file: str, threads: int) -> Any:
    interpreter = Interpreter(file, num_threads=threads)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        values = _pixels(tuple(detail["shape"]), np.dtype(detail["dtype"]))
        interpreter.set_tensor(detail["index"], values)
    for _ in range(_WARM_UPS):
        interpreter.invoke()
    return interpreter


def _peak_bytes() -> int | None:
    """The most memory that the process has held, which Linux alone tells."""
    try:
        with open("/proc/self/status") as status:
            lines = [line for line in status if line.startswith("VmHWM:")]
    except OSError:
        return None
    return int(lines[0].split()[1]) * 1024 if lines else None


def measure(files: list[str], threads: int, seconds: float) -> list[list[float]]:
    """Milliseconds of every run of each file, the files taking turns."""
    interpreters = [_interpreter(file, threads) for file in files]
    times: list[list[float]] = [[] for _ in files]
    end = time.perf_counter() + seconds * len(files)
    for turn in range(_MOST):
        if turn >= _FEWEST and time.perf_counter() > end:
            break
        for interpreter, own in zip(interpreters, times, strict=True):
            time.sleep(_REST_SECONDS if threads > 1 else 0)
            start = time.perf_counter()
            interpreter.invoke()
            own.append(1000 * (time.perf_counter() - start))
    return times


def main() -> None:
    """Prints what the argument asks for."""
    task = json.loads(sys.argv[1])
    before = _peak_bytes()
    found = [
        measure(task["files"], threads, task["seconds"]) for threads in task["threads"]
    ]
    after = _peak_bytes()
    peak = None if before is None or after is None else after - before
    sys.stdout.write(json.dumps({"times": found, "peak_bytes": peak}))


if __name__ == "__main__":
    main()
