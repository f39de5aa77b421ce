"""Weights that make up for how rare a class is."""

from typing import Any

import numpy as np

from keras_deeplab.data import SegmentationData


def median_frequency_weights(
    data: SegmentationData,
    *,
    power: float = 1.0,
    limits: tuple[float, float] = (0.0, 100.0),
) -> list[float]:
    """Counts the masks of a dataset and weighs its classes.

    The frequency of a class is its pixels over all pixels of the images it occurs in;
    its weight is the median of all frequencies over its own.

    Args:
        data: Photos with masks; every mask is read.
        power: Exponent of the weights.
        limits: Least and greatest weight, applied afterwards. A class that never
            occurs has the greatest.

    Returns:
        A weight for each class.

    Raises:
        OSError: If a file cannot be read.
        ValueError: If a file cannot be decoded, or no pixel is labelled.

    References:
        - [Eigen and Fergus, 2014](https://arxiv.org/abs/1411.4734), section 6.3.2
    """
    pixels, around = _counted(data)
    if not pixels.any():
        raise ValueError(
            "`data` must have a labelled pixel. "
            f"Received: {len(data)} pairs without one"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        frequency = pixels / around
        weights = np.median(frequency[pixels > 0]) / frequency
    weights[pixels == 0] = np.inf
    return np.clip(weights**power, *limits).tolist()


def _counted(data: SegmentationData) -> tuple[Any, Any]:
    """Pixels of each class, and all pixels of the images it occurs in."""
    pixels = np.zeros(data.classes, "int64")
    around = np.zeros(data.classes, "int64")
    for index in range(len(data)):
        labels = data.read(index).labels
        inside = labels[(labels >= 0) & (labels < data.classes)]
        found = np.bincount(inside, minlength=data.classes)
        pixels += found
        around += np.where(found > 0, labels.size, 0)
    return pixels, around
