"""How many images a second training takes, with and without its fused batch norm.

    python benchmarks/train_step.py [--backbone mobilenet_v2] [--size 361 481]

A step of `DeepLabV3Plus`, of 11 classes and batch 8, as the recipes for CamVid have it.
A row is the median of 5 rounds, which take turns in one run. The first is the network
with the batch norm of Keras itself, in its place in every block.
"""

import argparse
import os
from collections.abc import Callable
from unittest import mock

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from rounds import Timing, print_table, take_turns

import keras_deeplab
from keras_deeplab.layers import BatchNormalization, conv_block
from keras_deeplab.training import LayerwiseAdamW, SegmentationCrossEntropy

BATCH = 8
CLASSES = 11


class OfKeras(BatchNormalization):
    """The batch norm as Keras itself computes it."""

    def _can_be_fused(self, inputs: object) -> bool:
        return False


FORMS = {
    "float32, batch norm of Keras": ("float32", OfKeras),
    "float32": ("float32", BatchNormalization),
    "mixed_bfloat16": ("mixed_bfloat16", BatchNormalization),
}


def step_of(
    backbone: str, size: tuple[int, int], policy: str, norm: type
) -> Callable[[], object]:
    """A step on random numbers, which takes as long as one on photos."""
    with mock.patch.object(conv_block, "BatchNormalization", norm):
        model = keras_deeplab.DeepLabV3Plus(
            backbone, classes=CLASSES, crop_size=size, dtype=policy
        )
    model.compile(LayerwiseAdamW(1e-3), SegmentationCrossEntropy())
    rng = np.random.default_rng(0)
    images = rng.normal(size=(BATCH, *size, 3)).astype("float32")
    labels = rng.integers(0, CLASSES, (BATCH, *size)).astype("uint8")
    return lambda: model.train_on_batch(images, labels)


def measure(backbone: str, size: tuple[int, int]) -> dict[str, Timing]:
    """Seconds of a step."""
    steps = {name: step_of(backbone, size, *form) for name, form in FORMS.items()}
    # Traced first, then with its memory at hand.
    return take_turns(steps, warm_ups=2)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--size", nargs=2, type=int, default=(361, 481))
    given = parser.parse_args()
    times = measure(given.backbone, tuple(given.size))
    first = next(iter(times.values()))
    height, width = given.size
    print(
        f"DeepLabV3Plus, {given.backbone}, {height} x {width}, batch {BATCH}, "
        f"{os.cpu_count()} cores\n"
    )
    rows = (
        (name, f"{BATCH / timing.median:.1f}", f"{first.ratio(timing):.2f}")
        for name, timing in times.items()
    )
    print_table(("Step", "Images a second", "Of the first"), rows)


if __name__ == "__main__":
    main()
