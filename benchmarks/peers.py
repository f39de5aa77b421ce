"""DeepLabV3+ of this project beside that of other libraries, as Markdown tables.

    python benchmarks/peers.py --environments FOLDER [--plot FILE] [--results FILE]
        [--only resnet50] [--sizes 513x513 360x480] [--rounds 5] [--threads 1]

Inference of one image and a training step (SGD, cross-entropy of all pixels), with
random weights and random pixels. Each library runs in its own process, with packages
that pip puts into FOLDER (11 GB; the network is for that alone). All take turns in one
run; a ratio is the median of the ratios of the rounds. On a machine that does other
work give `--threads 1`: threads that wait for each other spin in some libraries, while
one thread is timed by its own time on the processor, which little else moves.
`--results` keeps what was measured: what stands there is not measured again.
"""

import argparse
import contextlib
import functools
import json
import math
import os
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from contestants import BACKBONES, BATCH, CLASSES, CONTESTANTS, OURS, start
from plots import Bars, draw_bars
from process import Worker, WorkerError
from rounds import ROUNDS, Timing, print_table, take_turns

SIZES = ("513x513", "360x480")
CALLS = {"infer": "inference", "train": "training step"}
# Threads that wait for more work keep a core busy for a while.
REST_SECONDS = 0.3
TITLES = (
    *("library", "size", "output stride", "parameters, M", "multiply-adds, G"),
    *("inference", "per multiply-add", "training step", "per multiply-add", "peak, GB"),
)

Facts = dict[str, Any]


def measure(
    backbone: str, size: str, names: Sequence[str], given: argparse.Namespace
) -> dict[str, Facts]:
    """What each library is and takes, or the `error` that it ends with."""
    threads = given.threads or os.cpu_count()
    clock = "processor_seconds" if threads == 1 else "seconds"
    found: dict[str, Facts] = {}
    workers: dict[str, Worker] = {}
    with contextlib.ExitStack() as stack:
        for name in names:
            try:
                process = start(CONTESTANTS[name], given.environments, given.threads)
                worker = stack.enter_context(process)
                facts = prepare(worker, name, backbone, size)
                found[name] = {**facts, "threads": threads}
                workers[name] = worker
            except (OSError, WorkerError) as fault:
                found[name] = {"error": str(fault)}
        for call in CALLS:
            runs = {
                name: functools.partial(ask, worker, call, clock, found[name])
                for name, worker in workers.items()
            }
            # `prepare` has warmed up.
            times = take_turns(runs, rounds=given.rounds, warm_ups=0, measure=rested)
            for name, timing in times.items():
                found[name][call] = timing.seconds
        for name, worker in workers.items():
            found[name]["peak_bytes"] = ask(worker, "infer", "peak_bytes", found[name])
    if "error" in found.get(OURS, {}):
        raise SystemExit(f"{OURS}, {backbone}, {size}: {found[OURS]['error']}")
    return found


def prepare(worker: Worker, name: str, backbone: str, size: str) -> Facts:
    """Builds it and warms it up."""
    contestant = CONTESTANTS[name]
    sides = contestant.sides(size)
    plan = {"backbone": backbone, "size": sides, "batch": BATCH, "classes": CLASSES}
    worker.ask("build", **plan, **contestant.options)
    facts = worker.ask("facts")["result"]
    # Traced and compiled, then with its memory at hand.
    for call in (*CALLS, *CALLS):
        worker.ask(call)
    return {**facts, "size": sides}


def ask(worker: Worker, call: str, key: str, facts: Facts) -> float:
    """What a worker answers; not a number once it has failed, as `facts` then say."""
    if "error" not in facts:
        try:
            return float(worker.ask(call)[key])
        except WorkerError as fault:
            facts["error"] = f"{call}: {fault}"
    return math.nan


def rested(run: Callable[[], float]) -> float:
    time.sleep(REST_SECONDS)
    return run()


def ratios(facts: Facts, ours: Facts, call: str) -> tuple[float, float]:
    """Time as a multiple of ours, as it is and per multiply-add."""
    ratio = timing_of(facts, call).ratio(timing_of(ours, call))
    return ratio, ratio * ours["multiply_adds"] / facts["multiply_adds"]


def timing_of(facts: Facts, call: str) -> Timing:
    return Timing(tuple(facts[call]))


def rows(found: Mapping[str, Facts]) -> Iterator[Sequence[object]]:
    for name, facts in found.items():
        if "error" in facts:
            continue
        times = []
        for call in CALLS:
            ratio, of_work = ratios(facts, found[OURS], call)
            mark = timing_of(facts, call).mark()
            times += [f"{ratio:.2f}{mark}", f"{of_work:.2f}"]
        yield (
            name,
            " x ".join(map(str, facts["size"])),
            CONTESTANTS[name].output_stride,
            f"{facts['parameters'] / 1e6:.2f}",
            f"{facts['multiply_adds'] / 1e9:.1f}",
            *times,
            f"{facts['peak_bytes'] / 1e9:.1f}",
        )


def print_results(results: Mapping[str, Mapping[str, Facts]]) -> None:
    """Prints the tables, and what they were measured with."""
    versions: set[tuple[str, str]] = set()
    for key, found in results.items():
        print(f"\n{key}, training batch {BATCH}, {threads_of(found[OURS])}\n")
        print_table(TITLES, rows(found))
        for name, facts in found.items():
            versions |= set(facts.get("versions", {}).items())
            if "error" in facts:
                print(f"\n{name} fails: {facts['error']}")
    print()
    print(", ".join(f"{name} {version}" for name, version in sorted(versions)))


def threads_of(facts: Facts) -> str:
    count = facts["threads"]
    return f"{count} threads" if count > 1 else "1 thread, processor time"


def bars(results: Mapping[str, Mapping[str, Facts]]) -> Iterator[Bars]:
    for key, found in results.items():
        whole = {name: facts for name, facts in found.items() if "error" not in facts}
        for call, title in CALLS.items():
            values = {
                name: ratios(facts, found[OURS], call) for name, facts in whole.items()
            }
            yield Bars(f"{title}, {key}", values)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=pathlib.Path, required=True)
    parser.add_argument("--plot", type=pathlib.Path)
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", choices=BACKBONES, default=BACKBONES)
    parser.add_argument("--sizes", nargs="*", default=SIZES)
    parser.add_argument("--without", nargs="*", choices=CONTESTANTS, default=())
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--threads", type=int, default=0, help="0: as they choose")
    return parser.parse_args()


def main() -> None:
    """Prints the tables and draws the plot."""
    given = parse()
    kept = given.results
    results = json.loads(kept.read_text()) if kept and kept.exists() else {}
    for backbone in given.only:
        names = [
            name
            for name, contestant in CONTESTANTS.items()
            if backbone in contestant.backbones and name not in given.without
        ]
        for size in given.sizes:
            key = f"{backbone}, {size}"
            if key not in results:
                results[key] = measure(backbone, size, names, given)
                if kept:
                    kept.write_text(json.dumps(results, indent=1))
    print_results(results)
    if given.plot:
        draw_bars(list(bars(results)), given.plot)


if __name__ == "__main__":
    main()
