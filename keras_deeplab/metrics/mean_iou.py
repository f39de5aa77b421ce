"""Mean intersection over union while training."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.metrics.confusion import confusion_matrix
from keras_deeplab.metrics.scores import SegmentationScores

# Most that the lower half of a count holds: small enough that the sum over 128
# replicas fits in the 32 bits that JAX has, and that float32 holds it exactly.
_BASE = 2**24


@register
class MeanIoU(keras.metrics.Metric):
    """The mean IoU of `evaluate`, as a Keras metric.

    From one confusion matrix over all batches and replicas: ignored pixels are left
    out, and so are classes that no label has. NaN until a pixel was counted. Counts
    are exact to `2^47` pixels a cell, on every backend.

    Args:
        classes: Number of classes, background included.
        ignore_label: Label of the pixels to leave out, or `None` to count all.
            For other labels that are no class see `confusion_matrix`.
        name: Name of the metric.
        dtype: Dtype of the result.

    Call arguments:
        y_true: Labels, `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits or probabilities, `(batch, height, width, classes)`.
        sample_weight: Must be `None`: pixels are counted, not weighed. Give the metric
            to `compile` as one of `metrics`, not of `weighted_metrics`.

    Raises:
        ValueError: If `classes` is not a positive integer.

    Examples:
        >>> metric = keras_deeplab.metrics.MeanIoU(classes=2)
        >>> labels = np.array([[[0, 1, 1, 255]]])
        >>> metric.update_state(labels, np.eye(2)[[[[0, 0, 1, 1]]]])
        >>> float(metric.result())
        0.5
    """

    def __init__(
        self,
        classes: int,
        *,
        ignore_label: int | None = 255,
        name: str = "mean_iou",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.classes = arguments.positive(classes=classes)
        self.ignore_label = ignore_label
        # Two halves of one number: without 64 bits a long epoch would overflow.
        self._low = self._counts("low")
        self._high = self._counts("high")

    def _counts(self, name: str) -> Any:
        return self.add_variable(
            (self.classes, self.classes), "zeros", dtype="int", name=name
        )

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None
    ) -> None:
        if sample_weight is not None:
            raise ValueError(
                "`sample_weight` must be `None`: MeanIoU counts pixels. Pass it in "
                "`metrics` instead of `weighted_metrics`. "
                f"Received: {sample_weight=}"
            )
        labels = ops.squeeze(y_true, -1) if len(y_true.shape) == 4 else y_true
        predictions = ops.argmax(y_pred, axis=-1)
        counts = confusion_matrix(labels, predictions, self.classes, self.ignore_label)
        total = self._low + ops.cast(counts, self._low.dtype)
        carry = total // _BASE
        self._low.assign(total - carry * _BASE)
        self._high.assign(self._high + carry)

    def result(self) -> Tensor:
        high, low = (ops.cast(half, "float32") for half in (self._high, self._low))
        counts = high * _BASE + low
        truth = ops.sum(counts, axis=1)
        right = ops.diagonal(counts)
        union = truth + ops.sum(counts, axis=0) - right
        present = truth > 0
        iou = ops.where(present, right / ops.where(present, union, 1.0), 0.0)
        mean = ops.sum(iou) / ops.sum(ops.cast(present, "float32"))
        return ops.cast(mean, self.dtype)

    def scores(self) -> SegmentationScores:
        """All scores of what was counted so far, from the exact counts."""
        high, low = (
            np.asarray(ops.convert_to_numpy(half)).astype("int64")
            for half in (self._high, self._low)
        )
        return SegmentationScores.from_confusion(high * _BASE + low)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "classes": self.classes,
            "ignore_label": self.ignore_label,
        }
