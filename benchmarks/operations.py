"""Where the time goes: our operations beside those of Model Garden, by kind.

    python benchmarks/operations.py --environments FOLDER [--size 360x480] [--rounds 10]

DeepLabV3+ on MobileNetV2, with and without our atrous branches, which Model Garden's
experiment does not have, on one thread under TensorFlow's profiler. A cell is how many
operations of a kind run and their share of the time of ours; the fastest round of each
operation counts. The environments are those of `peers.py`, in the same FOLDER.
"""

import argparse
import contextlib
import pathlib
from collections.abc import Iterator, Mapping, Sequence

from contestants import CONTESTANTS, OURS, start
from peers import CALLS, prepare
from rounds import print_table

BACKBONE = "mobilenet_v2"
NAMES = (OURS, f"{OURS}, no branches", "Model Garden")
# A kind that takes less than this share everywhere is one of the others.
LEAST = 0.01

# Of each kind of operation how many run, and their seconds.
Kinds = Mapping[str, Sequence[float]]


def rows(found: Mapping[str, Kinds]) -> Iterator[Sequence[str]]:
    """A row for each kind, the slowest of ours first, for the others and for all."""
    whole = _total(found[OURS].values())
    kinds = {kind: _in_each(found, kind) for each in found.values() for kind in each}
    large = {
        kind: cells
        for kind, cells in kinds.items()
        if max(seconds for _, seconds in cells) >= LEAST * whole
    }
    for kind in sorted(large, key=lambda kind: -large[kind][0][1]):
        yield kind, *(f"{count}: {s / whole:.3f}" for count, s in large[kind])
    totals = [_total(each.values()) for each in found.values()]
    named = [_total(cells) for cells in zip(*large.values(), strict=True)]
    others = [total - part for total, part in zip(totals, named, strict=True)]
    yield "others", *(f"{seconds / whole:.3f}" for seconds in others)
    yield "all", *(f"{seconds / whole:.3f}" for seconds in totals)


def _in_each(found: Mapping[str, Kinds], kind: str) -> list[Sequence[float]]:
    return [each.get(kind, (0, 0.0)) for each in found.values()]


def _total(cells: Sequence[Sequence[float]]) -> float:
    return sum(seconds for _, seconds in cells)


def main() -> None:
    """Prints a table for inference and one for the training step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=pathlib.Path, required=True)
    parser.add_argument("--size", default="360x480")
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        workers = {}
        for name in NAMES:
            process = start(CONTESTANTS[name], given.environments, threads=1)
            workers[name] = stack.enter_context(process)
            prepare(workers[name], name, BACKBONE, given.size)
        for call, title in CALLS.items():
            found = {
                name: worker.ask("operations", of=call, rounds=given.rounds)["result"]
                for name, worker in workers.items()
            }
            print(f"\n{title}, {BACKBONE}, {given.size}\n")
            print_table(("operation", *NAMES), rows(found))


if __name__ == "__main__":
    main()
