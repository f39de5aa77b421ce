"""Weights that make up for how rare a class is."""

from typing import Any

import numpy as np

from keras_deeplab.data import ClassStatistics, SegmentationData


def median_frequency_weights(
    data: SegmentationData,
    *,
    power: float = 1.0,
    limits: tuple[float, float] = (0.0, 100.0),
) -> list[float]:
    """Counts the masks of a dataset and weighs its classes.

    They are the `median_weights` of `ClassStatistics`.

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
    """
    found = ClassStatistics.of([_counted(data, index) for index in range(len(data))])
    if not any(found.pixels):
        raise ValueError(
            "`data` must have a labelled pixel. "
            f"Received: {len(data)} pairs without one"
        )
    weights = [weight**power if weight else np.inf for weight in found.median_weights]
    return np.clip(weights, *limits).tolist()


def _counted(data: SegmentationData, index: int) -> Any:
    """Pixels of each class of one mask, and last those ignored."""
    labels = data.read(index).labels
    inside = (labels >= 0) & (labels < data.classes)
    return np.bincount(
        np.where(inside, labels, data.classes).ravel(), minlength=data.classes + 1
    )
