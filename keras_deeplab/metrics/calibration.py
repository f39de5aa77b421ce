"""Whether a model is as often right as it is sure."""

from typing import Any

import numpy as np

from keras_deeplab.layers import arguments
from keras_deeplab.metrics.fraction import ratio

Array = np.ndarray[Any, Any]

# Values looked at in one go: 16 MiB of float32.
_PART_VALUES = 2**22
# The least probability of the truth that counts, so that one pixel is not infinite.
_TINY = np.finfo("float32").tiny


class Calibration:
    """Confidence against accuracy, over the pixels of many photos.

    The confidence of a pixel is the probability of its predicted class. Bin `m` of `M`
    holds the pixels of a confidence in `((m - 1) / M, m / M]`, and every pixel weighs
    the same, whatever its photo and class.

    Args:
        bins: Number of bins.
        ignore_label: Label of the pixels to leave out, or `None` to count all.

    Raises:
        ValueError: If `bins` is not a positive integer.

    Examples:
        >>> calibration = keras_deeplab.metrics.Calibration(bins=2)
        >>> calibration.update(np.array([[0, 1]]), np.array([[[0.8, 0.2], [0.6, 0.4]]]))
        >>> round(calibration.expected_error, 3), calibration.accuracy[1]
        (0.2, 0.5)
    """

    def __init__(self, bins: int = 15, *, ignore_label: int | None = 255) -> None:
        self.bins = arguments.positive(bins=bins)
        self._ignore_label = ignore_label
        self._counts = np.zeros(self.bins, "int64")
        self._right = np.zeros(self.bins, "int64")
        self._confidence = np.zeros(self.bins)
        self._log_loss = 0.0

    def update(self, labels: Array, probabilities: Array) -> None:
        """Counts one photo.

        Args:
            labels: True labels, integers, `(H, W)`.
            probabilities: Probabilities of the classes, `(H, W, classes)`.
        """
        rows = max(1, _PART_VALUES // probabilities[0].size)
        for top in range(0, len(labels), rows):
            part = slice(top, top + rows)
            self._add(labels[part], probabilities[part])

    def _add(self, labels: Array, probabilities: Array) -> None:
        counted = np.full(labels.shape, True)
        if self._ignore_label is not None:
            counted = labels != self._ignore_label
        truth, found = labels[counted].astype("int64"), probabilities[counted]
        confidence = found.max(axis=-1).astype("float64")
        of_truth = np.take_along_axis(found, truth[:, None], axis=-1)[:, 0]
        index = np.ceil(confidence * self.bins).astype("int64") - 1
        # Rounding may leave a probability slightly above 1.
        index = np.clip(index, 0, self.bins - 1)
        right = found.argmax(axis=-1) == truth
        self._counts += np.bincount(index, minlength=self.bins)
        self._right += np.bincount(index[right], minlength=self.bins)
        self._confidence += np.bincount(index, confidence, minlength=self.bins)
        self._log_loss -= np.log(np.maximum(of_truth, _TINY), dtype="float64").sum()

    @property
    def pixels(self) -> tuple[int, ...]:
        """Pixels of each bin."""
        return tuple(self._counts.tolist())

    @property
    def confidence(self) -> tuple[float, ...]:
        """Mean confidence in each bin; NaN where it is empty."""
        return tuple(ratio(self._confidence, self._counts).tolist())

    @property
    def accuracy(self) -> tuple[float, ...]:
        """Fraction of right pixels in each bin; NaN where it is empty."""
        return tuple(ratio(self._right, self._counts).tolist())

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean distance of confidence and accuracy.

        Over the bins, each weighed by its pixels; NaN if no pixel was counted.
        """
        gaps = np.abs(self._right - self._confidence)
        return float(ratio(gaps.sum(), self._counts.sum()))

    @property
    def log_loss(self) -> float:
        """Mean negative logarithm of the probability of the true class, in nats.

        A probability below the least of float32, 1.2e-38, counts as that. NaN if no
        pixel was counted.
        """
        return float(ratio(self._log_loss, self._counts.sum()))
