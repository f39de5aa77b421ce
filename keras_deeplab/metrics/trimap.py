"""Scores near the boundaries of objects."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_deeplab.layers import arguments
from keras_deeplab.metrics.boundary_distance import squared_boundary_distances
from keras_deeplab.metrics.confusion import confusion_matrix
from keras_deeplab.metrics.scores import SegmentationScores

#: Widths of the bands, in pixels, that a report shows.
TRIMAP_WIDTHS = (1, 2, 4, 8, 16, 32)

Array = np.ndarray[Any, Any]


class Trimap:
    """Mean IoU in narrow bands along the boundaries of the true labels.

    The band of width `w` holds the pixels no further than `w`, by the Euclidean
    distance of their centres, from a pixel of another true label; pixels to ignore are
    in no band, but are another label to their neighbours. In PASCAL VOC, where void
    separates all objects, these are the bands around void in which DeepLab V1 and V2
    score; where classes touch, as in Cityscapes, they lie on both sides of the line.

    Args:
        classes: Number of classes.
        widths: Widths of the bands in pixels, rising.
        ignore_label: Label of the pixels to leave out, or `None` to count all.
        mean_over: Classes that the mean is over, as in `SegmentationScores`.

    Raises:
        ValueError: If `widths` is empty, not rising or has a width below 1.

    Examples:
        >>> trimap = keras_deeplab.metrics.Trimap(classes=2, widths=(1, 2))
        >>> trimap.update(np.array([[0, 0, 0, 1]]), np.array([[0, 1, 0, 1]]))
        >>> [scores.pixel_accuracy for scores in trimap.scores()]
        [1.0, 0.6666666666666666]
    """

    def __init__(
        self,
        classes: int,
        widths: Sequence[int] = TRIMAP_WIDTHS,
        *,
        ignore_label: int | None = 255,
        mean_over: str = "truth",
    ) -> None:
        self.widths = check_widths(widths)
        self._ignore_label, self._mean_over = ignore_label, mean_over
        # Of each band without those inside it.
        self._counts = np.zeros((len(self.widths), classes, classes), "int64")

    def update(self, labels: Array, predictions: Array) -> None:
        """Counts one photo.

        Args:
            labels: True labels, integers, `(H, W)`.
            predictions: Predicted labels, `(H, W)`.
        """
        classes = self._counts.shape[1]
        # No pixel is further from another; the numbers stay small.
        furthest = sum(labels.shape)
        widths = [min(width, furthest) for width in self.widths]
        distances = squared_boundary_distances(labels, widths[-1])
        band = np.searchsorted(np.square(widths), distances)
        if self._ignore_label is not None:
            band[labels == self._ignore_label] = len(self.widths)
        for index, counts in enumerate(self._counts):
            inside = np.where(band == index, labels, classes)
            matrix = confusion_matrix(
                inside.astype("int32"), predictions.astype("int32"), classes, classes
            )
            counts += ops.convert_to_numpy(matrix)

    def scores(self) -> tuple[SegmentationScores, ...]:
        """The scores in the band of each width."""
        return tuple(
            SegmentationScores.from_confusion(counts, mean_over=self._mean_over)
            for counts in self._counts.cumsum(axis=0)
        )


def check_widths(widths: Sequence[int]) -> tuple[int, ...]:
    """Returns widths as a `Trimap` takes them, or raises its error."""
    found = tuple(arguments.positive(widths=width) for width in widths)
    if not found or list(found) != sorted(set(found)):
        raise ValueError(
            "`widths` must be rising, and at least one. "
            f"Received: widths={tuple(widths)}"
        )
    return found
