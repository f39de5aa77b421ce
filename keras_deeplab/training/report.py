"""What is needed to repeat a training, and what it arrived at."""

import importlib.metadata
import math
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_deeplab._version import __version__
from keras_deeplab.data import DATASETS, SegmentationData
from keras_deeplab.metrics import SegmentationScores
from keras_deeplab.training.find_data import Splits, data_digest
from keras_deeplab.training.recipe import Recipe

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


def describe_files(splits: Splits) -> dict[str, Any]:
    """Where the data of a training lie, and the names of the photos scored on."""
    names = [pair.image.name for pair in splits.val.pairs]
    return {
        "train": _folders(splits.train),
        "val": {**_folders(splits.val), "photos": names},
    }


def describe_recipe(recipe: Recipe, splits: Splits) -> dict[str, Any]:
    """A recipe, without its datasets where others took their place."""
    told = recipe.as_data()
    sources = {"train_data": splits.train, "val_data": splits.val}
    if not all(_is_from(data, *told[field]) for field, data in sources.items()):
        told |= dict.fromkeys(sources)
    return told


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


def _is_from(data: SegmentationData, name: str, split: str) -> bool:
    """Whether data may be a split of a public dataset, which is taken whole."""
    spec = DATASETS.get(name)
    if spec is None or split not in spec.splits:
        return False
    whole = spec.splits[split].count in (None, len(data))
    return whole and data.class_names == spec.class_names


def _folders(data: SegmentationData) -> dict[str, str]:
    files = {
        "images": [pair.image for pair in data.pairs],
        "masks": [pair.mask for pair in data.pairs],
    }
    return {
        kind: os.path.commonpath([Path(str(file)).absolute().parent for file in each])
        for kind, each in files.items()
    }


def _describe(data: SegmentationData) -> dict[str, Any]:
    return {"pairs": len(data), "sha256_of_names_and_sizes": data_digest(data)}
