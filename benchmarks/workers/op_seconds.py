"""Seconds of the operations of a TensorFlow function, by kind."""

import collections
import glob
import re
import tempfile
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

# How the profiler names an operation: its node, and its kind.
_EVENT = re.compile(r"[^:]+:(\w+)")
# oneDNN's form of an operation is the same kind.
_PREFIX = "_MklNative"


def measure(run: Callable[[], Any], rounds: int) -> dict[str, tuple[int, float]]:
    """How many of each kind run, and the seconds of all of that kind.

    Every operation counts with the fastest of the rounds: what else the machine does
    only ever adds.
    """
    seconds = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            for _ in range(rounds):
                run()
        (file,) = glob.glob(f"{folder}/**/*.xplane.pb", recursive=True)
        with open(file, "rb") as opened:
            space = xplane_pb2.XSpace.FromString(opened.read())
    for plane in space.planes:
        names = {key: each.name for key, each in plane.event_metadata.items()}
        for line in plane.lines:
            for event in line.events:
                seconds[names[event.metadata_id]].append(event.duration_ps / 1e12)
    return _by_kind(seconds, rounds)


def _by_kind(
    seconds: dict[str, list[float]], rounds: int
) -> dict[str, tuple[int, float]]:
    kinds: dict[str, tuple[int, float]] = {}
    for name, each in seconds.items():
        found = _EVENT.fullmatch(name)
        if found:
            kind = found[1].removeprefix(_PREFIX)
            count, total = kinds.get(kind, (0, 0.0))
            runs = len(each) // rounds
            kinds[kind] = (count + runs, total + runs * min(each))
    return kinds
