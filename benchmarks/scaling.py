"""How the cost of a model grows: with the image, the batch, the classes, the replicas.

    python benchmarks/scaling.py [--plot FILE] [--backbone mobilenet_v2] [--rounds 5]
        [--threads N] [--processor-time]

Inference and the training step of `DeepLabV3Plus`, as multiples of the first row of
each table, and the exponent of the power law fitted to them: 1 is in proportion, 0
stays. The replicas are parts of the one processor (`MirroredStrategy` over logical
CPUs), with the same batch each, so 1 is the best there is. `--processor-time`, for a
machine that does other work, counts the seconds of the processor instead.
"""

import argparse
import functools
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf
from exponent import fit_power
from plots import Curve, draw_curves
from rounds import ROUNDS, Timing, clock, print_table, processor_clock, take_turns

import keras_deeplab
from keras_deeplab.training import SegmentationCrossEntropy

BASE = {"side": 257, "batch": 2, "classes": 21, "replicas": 1}
GRIDS = {
    "side": (129, 193, 257, 385, 513),
    "batch": (1, 2, 4, 8),
    "classes": (2, 21, 60, 150),
    "replicas": (1, 2, 4),
}
WHAT = {
    "side": "pixels a side",
    "batch": "images a batch",
    "classes": "classes",
    "replicas": "replicas",
}


def runs_of(
    backbone: str, side: int, batch: int, classes: int, replicas: int
) -> dict[str, Callable[[], object]]:
    """Inference and a training step on random numbers."""
    with strategy_of(replicas).scope():
        model = keras_deeplab.DeepLabV3Plus(
            backbone, classes=classes, crop_size=(side, side)
        )
        model.compile(keras.optimizers.SGD(1e-3, 0.9), SegmentationCrossEntropy())
    rng = np.random.default_rng(0)
    # `train_on_batch` hands every replica the whole of it.
    images = rng.normal(size=(batch, side, side, 3)).astype("float32")
    labels = rng.integers(0, classes, (batch, side, side)).astype("uint8")
    training = functools.partial(model.train_on_batch, images, labels)
    if replicas > 1:
        return {"training step": training}
    inference = functools.partial(model.predict_on_batch, images)
    return {"inference": inference, "training step": training}


def strategy_of(replicas: int) -> tf.distribute.Strategy:
    if replicas == 1:
        return tf.distribute.get_strategy()
    devices = [f"CPU:{index}" for index in range(replicas)]
    # Collective operations know one number of replicas in a process.
    exchange = tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(devices, exchange)


def measure(
    backbone: str, kind: str, rounds: int, measured: Callable[..., float]
) -> dict[str, dict[int, Timing]]:
    """Seconds of inference and training for each value of one quantity."""
    built = {value: runs_of(backbone, **{**BASE, kind: value}) for value in GRIDS[kind]}
    # Replicas are for training alone.
    calls = ["training step"] if kind == "replicas" else ["inference", "training step"]
    return {
        call: take_turns(
            {value: runs[call] for value, runs in built.items()},
            rounds=rounds,
            warm_ups=2,
            measure=measured,
        )
        for call in calls
    }


def curves(found: Mapping[str, Mapping[int, Timing]]) -> Iterator[Curve]:
    for call, timings in found.items():
        sizes = list(timings)
        first = timings[sizes[0]]
        costs = [timing.ratio(first) for timing in timings.values()]
        yield Curve(call, sizes, costs, fit_power(sizes, costs))


def rows(
    found: Mapping[str, Mapping[int, Timing]], drawn: Sequence[Curve]
) -> Iterator[Sequence[object]]:
    for index, size in enumerate(drawn[0].sizes):
        yield (
            size,
            *(
                f"{curve.costs[index]:.2f}{found[curve.name][size].mark()}"
                for curve in drawn
            ),
        )
    yield ("exponent", *(f"{curve.law.exponent:.2f}" for curve in drawn))
    yield ("explained", *(f"{curve.law.explained:.3f}" for curve in drawn))


def main() -> None:
    """Prints the tables and draws the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--plot", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", choices=GRIDS, default=tuple(GRIDS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--threads", type=int, default=0, help="by default all")
    parser.add_argument("--processor-time", action="store_true")
    given = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(given.threads)
    measured = processor_clock if given.processor_time else clock
    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = [tf.config.LogicalDeviceConfiguration()] * max(GRIDS["replicas"])
    tf.config.set_logical_device_configuration(cpu, logical)
    panels = {}
    for kind in given.only:
        found = measure(given.backbone, kind, given.rounds, measured)
        drawn = list(curves(found))
        panels[f"cost against {WHAT[kind]}"] = drawn
        print()
        print_table((WHAT[kind], *found), rows(found, drawn))
        keras.backend.clear_session()
    if given.plot:
        draw_curves(panels, given.plot)


if __name__ == "__main__":
    main()
