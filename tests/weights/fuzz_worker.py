"""Reads changed files in a process of its own: `fuzz_worker.py FOLDER SEED FACTOR`.

Prints a line of JSON for each format. A crash, a hang or too much memory ends it.
"""

import faulthandler
import json
import pathlib
import random
import re
import resource
import sys
import warnings
from collections import Counter
from typing import Any

import numpy as np

# Seconds that one file may take, and how many bytes reading all of them may add.
_SECONDS = 30
_BYTES = 600 << 20
_OURS = re.compile(r".*Received: .+", re.DOTALL)


def main(folder: str, seed: str, factor: str) -> None:
    from tests.weights.fuzz_formats import FORMATS

    warnings.simplefilter("ignore")
    for name, kind in FORMATS.items():
        place = pathlib.Path(folder) / name
        place.mkdir()
        kind.write(place)
        report = _fuzz(kind, place, f"{name} {seed}", int(factor) * kind.cases)
        sys.stdout.write(json.dumps({"format": name, **report}) + "\n")
        sys.stdout.flush()


def _fuzz(kind: Any, folder: pathlib.Path, seed: str, cases: int) -> dict[str, Any]:
    path = folder / kind.file
    whole = path.read_bytes()
    expected = {k: np.array(v) for k, v in kind.read(path).items()}
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    _limit_memory()
    for case in range(cases):
        data, budget = kind.change(whole, random.Random(f"{seed} {case}"))
        path.write_bytes(data)
        # Named in what a crash leaves.
        sys.stderr.write(f"{seed} {case}\n")
        faulthandler.dump_traceback_later(_SECONDS, exit=True)
        outcome, problem = _read(kind, path, expected, budget)
        faulthandler.cancel_dump_traceback_later()
        counts[outcome] += 1
        if problem:
            wrong.append(f"case {case}: {problem}")
    return {"cases": cases, "wrong": wrong, **counts}


def _read(
    kind: Any, path: pathlib.Path, expected: Any, budget: int | None
) -> tuple[str, str | None]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        found = kind.read(path)
    # DownloadError is an OSError.
    except Exception as error:
        return "refused", _fault_of_error(error)
    finally:
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if grown << 10 > _BYTES:
        return "loaded", f"{grown} KiB of memory"
    if kind.finite and not all(np.isfinite(value).all() for value in found.values()):
        return "loaded", "a number that is not finite"
    return "loaded", _fault_of_values(found, expected, budget)


def _fault_of_error(error: Exception) -> str | None:
    from keras_deeplab.weights.download_error import DownloadError

    plain = type(error) in (ValueError, DownloadError)
    if plain and _OURS.fullmatch(str(error)):
        return None
    return f"{type(error).__name__}: {str(error)[-500:]}"


def _fault_of_values(found: Any, expected: Any, budget: int | None) -> str | None:
    if budget is None:
        return None
    # Where names or shapes are others, no model of ours takes the values.
    pairs = [
        (expected[name], np.asarray(values))
        for name, values in found.items()
        if name in expected and expected[name].shape == np.shape(values)
    ]
    others = sum(int(np.sum(old.view("u1") != new.view("u1"))) for old, new in pairs)
    if others > budget:
        return f"{others} bytes of its values are others; {budget} were changed"
    return None


def _limit_memory() -> None:
    size = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
    limit = size * resource.getpagesize() + 4 * _BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
    main(*sys.argv[1:])
