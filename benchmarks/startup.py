"""What it takes until the first answer: seconds to import, and peak memory.

    python benchmarks/startup.py --environments FOLDER [--rounds 5] [--size 513]

Two tables: of importing this package and the libraries that it stands on or beside, and
of importing, building DeepLabV3+ on MobileNetV2 (ResNet-50 for KerasHub, which has no
other) and segmenting one image. Every round is a new process; the files are in the
system's memory. The peers are those of `peers.py`, in the same FOLDER.
"""

import argparse
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
PEAK = f"import sys; sys.path.append({str(WORKERS)!r}); import serve; {{}}; "
PEAK += "print(serve.peak_bytes())"


class Peak:
    """Runs a function that tells the memory it took, and keeps the most."""

    def __init__(self, run: Callable[[], int]) -> None:
        self._run = run
        self.most = 0

    def __call__(self) -> None:
        self.most = max(self.most, self._run())


def importing(statement: str, python: str | pathlib.Path) -> int:
    words = [python, "-c", PEAK.format(statement)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def first_answer(name: str, folder: pathlib.Path, size: int) -> int:
    contestant = CONTESTANTS[name]
    with start(contestant, folder) as worker:
        worker.ask(
            "build",
            backbone=contestant.backbones[-1],
            size=contestant.sides(f"{size}x{size}"),
            batch=BATCH,
            classes=CLASSES,
            **contestant.options,
        )
        return worker.ask("infer")["peak_bytes"]


def rows(
    runs: Mapping[str, Peak], times: Mapping[str, Timing], base: str
) -> Iterator[Sequence[object]]:
    for name, timing in times.items():
        ratio = timing.ratio(times[base])
        memory = runs[name].most / runs[base].most
        yield f"`{name}`", f"{ratio:.2f}{timing.mark()}", f"{memory:.2f}"


def compare(title: str, runs: Mapping[str, Peak], rounds: int) -> None:
    base = next(iter(runs))
    times = take_turns(runs, rounds=rounds)
    print(f"\n{title}\n")
    print_table(("what", "time", "peak memory"), rows(runs, times, base))
    print(f"\n`{base}`: {times[base].median:.1f} s, {runs[base].most / 1e6:.0f} MB")


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
        imports[statement] = Peak(functools.partial(importing, statement, python))
    compare("Importing", imports, given.rounds)
    answers = {
        name: Peak(functools.partial(first_answer, name, folder, given.size))
        for name in (OURS, "KerasHub", "Model Garden", "smp")
    }
    compare("Until the first answer", answers, given.rounds)


if __name__ == "__main__":
    main()
