"""How many images a second training takes, with and without its fused batch norm.

    python benchmarks/train_step.py [--backbone mobilenet_v2] [--size 361 481]

A step of `DeepLabV3Plus`, of 11 classes and batch 8, as the recipes for CamVid have it.
A row is the median of 5 rounds, which take turns in one run. The first is the network
with the batch norm of Keras itself, in its place in every block.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from unittest import mock

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import keras_deeplab
from keras_deeplab.layers import BatchNormalization, conv_block
from keras_deeplab.training import LayerwiseAdamW, SegmentationCrossEntropy

ROUNDS = 5
BATCH = 8
CLASSES = 11
FORMS = {
    "float32, batch norm of Keras": ("float32", keras.layers.BatchNormalization),
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


def measure(backbone: str, size: tuple[int, int]) -> dict[str, float]:
    """Images a second, the median of the rounds."""
    steps = {name: step_of(backbone, size, *form) for name, form in FORMS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        # Traced, with its memory at hand.
        step()
        step()
    for _ in range(ROUNDS):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - start)
    return {name: BATCH / statistics.median(times) for name, times in seconds.items()}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--size", nargs=2, type=int, default=(361, 481))
    given = parser.parse_args()
    rates = measure(given.backbone, tuple(given.size))
    first = next(iter(rates.values()))
    height, width = given.size
    print(
        f"DeepLabV3Plus, {given.backbone}, {height} x {width}, batch {BATCH}, "
        f"{os.cpu_count()} cores\n"
    )
    print("| Step | Images a second | Of the first |\n| --- | --- | --- |")
    for name, rate in rates.items():
        print(f"| {name} | {rate:.1f} | {rate / first:.2f} |")


if __name__ == "__main__":
    main()
