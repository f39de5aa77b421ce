"""What it takes until the first answer: seconds to import, and peak memory.

    python benchmarks/startup.py --environments FOLDER [--rounds 5] [--size 513]

Two tables: of importing this package and the libraries that it stands on or beside, and
of importing, building DeepLabV3+ on MobileNetV2 (ResNet-50 for KerasHub, which has no
other) and segmenting one image. Every round is a new process, and seconds are those
that it keeps the processor busy. The peers are those of `peers.py`, in the same FOLDER.
"""

import argparse
import dataclasses
import functools
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from contestants import BATCH, CLASSES, CONTESTANTS, OURS, start
from environments import GARDEN, HUB, SMP, Environment
from rounds import ROUNDS, Timing, print_table, take_turns

# A statement, and where it runs; nothing is for the environment of this script.
IMPORTS: Mapping[str, Environment | None] = {
    "import keras_deeplab": None,
    "import keras": None,
    "import tensorflow": None,
    "import numpy": None,
    "import keras_hub": HUB,
    "import official.vision.modeling.factory": GARDEN,
    "import segmentation_models_pytorch": SMP,
    "import torch": SMP,
}
WORKERS = pathlib.Path(__file__).parent / "workers"
SCRIPT = f"""
import sys, time
sys.path.append({str(WORKERS)!r})
import serve
start = time.process_time()
{{}}
print(time.process_time() - start, serve.peak_bytes())
"""


@dataclasses.dataclass
class Start:
    """A way to start, which tells its seconds and bytes, and the most it ever took."""

    run: Callable[[], tuple[float, int]]
    peak_bytes: int = 0

    def seconds(self) -> float:
        seconds, peak_bytes = self.run()
        self.peak_bytes = max(self.peak_bytes, peak_bytes)
        return seconds


def importing(statement: str, python: str | pathlib.Path) -> tuple[float, int]:
    words = [python, "-c", SCRIPT.format(statement)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    seconds, peak_bytes = done.stdout.split()[-2:]
    return float(seconds), int(peak_bytes)


def first_answer(name: str, folder: pathlib.Path, size: int) -> tuple[float, int]:
    contestant = CONTESTANTS[name]
    plan = {
        "backbone": contestant.backbones[-1],
        "size": contestant.sides(f"{size}x{size}"),
        "batch": BATCH,
        "classes": CLASSES,
    }
    with start(contestant, folder) as worker:
        built = worker.ask("build", **plan, **contestant.options)
        answer = worker.ask("infer")
    seconds = built["processor_seconds"] + answer["processor_seconds"]
    return seconds, answer["peak_bytes"]


def rows(
    starts: Mapping[str, Start], times: Mapping[str, Timing], base: str
) -> Iterator[Sequence[object]]:
    for name, timing in times.items():
        ratio = timing.ratio(times[base])
        memory = starts[name].peak_bytes / starts[base].peak_bytes
        yield f"`{name}`", f"{ratio:.2f}{timing.mark()}", f"{memory:.2f}"


def compare(title: str, starts: Mapping[str, Start], rounds: int) -> None:
    base = next(iter(starts))
    times = take_turns(
        {name: each.seconds for name, each in starts.items()},
        rounds=rounds,
        measure=lambda run: run(),
    )
    print(f"\n{title}\n")
    print_table(("what", "time", "peak memory"), rows(starts, times, base))
    peak = starts[base].peak_bytes / 1e6
    print(f"\n`{base}`: {times[base].median:.1f} s, {peak:.0f} MB")


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--size", type=int, default=513)
    given = parser.parse_args()
    folder = given.environments
    imports = {}
    for statement, environment in IMPORTS.items():
        python = environment.python(folder) if environment else sys.executable
        imports[statement] = Start(functools.partial(importing, statement, python))
    compare("Importing", imports, given.rounds)
    answers = {
        name: Start(functools.partial(first_answer, name, folder, given.size))
        for name in (OURS, "KerasHub", "Model Garden", "smp")
    }
    compare("Until the first answer", answers, given.rounds)


if __name__ == "__main__":
    main()
