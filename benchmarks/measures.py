"""What bands along boundaries and calibration cost `evaluate`, for each photo.

    python benchmarks/measures.py [--rounds 5]

Milliseconds of the processor, on a label map of patches and random probabilities, in
sizes of PASCAL VOC and of Cityscapes.
"""

import argparse
import functools
import os
from collections.abc import Callable, Mapping

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
from rounds import ROUNDS, print_table, processor_clock, take_turns

from keras_deeplab.metrics import Calibration, Trimap

# Height, width and classes.
PHOTOS = ((366, 500, 21), (1024, 2048, 19))
# Side of the patches in pixels.
PATCH = 64


def runs_of(height: int, width: int, classes: int) -> Mapping[str, Callable[[], None]]:
    rng = np.random.default_rng(0)
    patches = rng.integers(0, classes, (height // PATCH + 1, width // PATCH + 1))
    labels = np.kron(patches, np.ones((PATCH, PATCH), "int64"))[:height, :width]
    scores = rng.random((height, width, classes), "float32")
    scores /= scores.sum(axis=-1, keepdims=True)
    bands, calibration = Trimap(classes), Calibration()
    return {
        "bands": functools.partial(bands.update, labels, scores.argmax(axis=-1)),
        "calibration": functools.partial(calibration.update, labels, scores),
    }


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    rows = []
    for height, width, classes in PHOTOS:
        times = take_turns(
            runs_of(height, width, classes), rounds=rounds, measure=processor_clock
        )
        costs = (
            f"{timing.median * 1000:.0f} ms{timing.mark()}" for timing in times.values()
        )
        rows.append((f"{height} x {width}", classes, *costs))
    print_table(("photo", "classes", "bands", "calibration"), rows)


if __name__ == "__main__":
    main()
