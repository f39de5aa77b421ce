"""The photos that a model does worst on."""

import bisect
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class WorstPhoto:
    """A photo that a model does badly on.

    Args:
        mean_iou: Mean IoU of this photo alone.
        index: Its place in the data.
        labels: What the model said: uint8, `(H, W)`.
    """

    mean_iou: float
    index: int
    labels: np.ndarray[Any, Any]


class WorstPhotos:
    """Keeps the photos of the lowest mean IoU, and what the model said of them.

    Args:
        most: How many to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._photos: list[WorstPhoto] = []

    def update(self, mean_iou: float, index: int, labels: np.ndarray[Any, Any]) -> None:
        """Looks at one photo.

        Args:
            mean_iou: Its mean IoU; NaN if no pixel counts, and it is left out.
            index: Its place in the data, of which each is looked at once.
            labels: What the model said: uint8, `(H, W)`.
        """
        if not np.isnan(mean_iou):
            found = WorstPhoto(mean_iou, index, labels)
            bisect.insort(self._photos, found, key=_rank)
            del self._photos[self._most :]

    @property
    def photos(self) -> tuple[WorstPhoto, ...]:
        """The worst, the very worst first."""
        return tuple(self._photos)


def _rank(photo: WorstPhoto) -> tuple[float, int]:
    return photo.mean_iou, photo.index
