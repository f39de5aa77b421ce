"""What is needed to repeat a training, and what it arrived at."""

import importlib.metadata
import math
import platform
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_deeplab._version import __version__
from keras_deeplab.data import SegmentationData
from keras_deeplab.metrics import SegmentationScores
from keras_deeplab.training.find_data import Splits, data_digest

_PACKAGES = ("keras", "numpy", "pillow", "tensorflow", "tensorflow-cpu", "jax", "torch")


def describe_versions() -> dict[str, str]:
    """The versions of what a training depends on."""
    found = {"python": platform.python_version(), "keras_deeplab": __version__}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    found["backend"] = keras.backend.backend()
    return {**found, "machine": platform.platform()}


def describe_data(splits: Splits) -> dict[str, Any]:
    """What tells the data of a training from other data."""
    return {
        "class_names": list(splits.train.class_names),
        "train": _describe(splits.train),
        "val": _describe(splits.val),
    }


def describe_scores(scores: SegmentationScores, names: Sequence[str]) -> dict[str, Any]:
    """Scores as JSON, which has no NaN: a class that never occurs has the IoU null."""
    return {
        "mean_iou": known(scores.mean_iou),
        "pixel_accuracy": known(scores.pixel_accuracy),
        "class_iou": dict(zip(names, map(known, scores.class_iou), strict=True)),
    }


def describe_command(command: Sequence[str] | None) -> Mapping[str, Any]:
    """How the training was started."""
    return {"command": list(sys.argv if command is None else command)}


def known(value: float) -> float | None:
    """The value, or `None` where it is not a finite number."""
    return value if math.isfinite(value) else None


def _describe(data: SegmentationData) -> dict[str, Any]:
    return {"pairs": len(data), "sha256_of_names_and_sizes": data_digest(data)}
