"""The scores of a segmentation, made from its confusion matrix."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.metrics.fraction import ratio

#: Classes that a mean IoU may be over: which, by their pixels in truth and in either.
MEAN_OVER: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "truth": lambda truth, union: truth > 0,
        "union": lambda truth, union: union > 0,
        "all": lambda truth, union: union >= 0,
    }
)


@dataclass(frozen=True)
class SegmentationScores:
    """Intersection over union and pixel accuracy over a set of images.

    The IoU of a class comes from the matrix summed over all images. Their mean is by
    default over the classes that occur in the ground truth: one that was predicted but
    never occurs has an IoU of 0 and stays out; its pixels still count against the
    classes they were taken from. The public benchmarks, whose data hold every class,
    differ in this only; see `from_confusion`.

    Args:
        confusion: Counts, one tuple a true class, one entry a predicted class.
        class_iou: IoU of each class in `[0, 1]`; NaN where the class occurs in
            neither truth nor prediction.
        mean_iou: Mean IoU in `[0, 1]`; NaN if no pixel was counted.
        pixel_accuracy: Fraction of right pixels; NaN if no pixel was counted.

    Examples:
        >>> matrix = np.array([[3, 1], [0, 4]])
        >>> scores = keras_deeplab.metrics.SegmentationScores.from_confusion(matrix)
        >>> scores.class_iou
        (0.75, 0.8)
        >>> scores.pixel_accuracy
        0.875
    """

    confusion: tuple[tuple[int, ...], ...]
    class_iou: tuple[float, ...]
    mean_iou: float
    pixel_accuracy: float

    @classmethod
    def from_confusion(
        cls, matrix: Tensor, *, mean_over: str = "truth"
    ) -> "SegmentationScores":
        """Makes the scores from a matrix of counts.

        Args:
            matrix: `(classes, classes)` counts; rows are the truth.
            mean_over: Classes that the mean IoU is over: those in the `"truth"`;
                those in truth or prediction, `"union"`, as in the kits of PASCAL VOC
                and Cityscapes; or `"all"`, one in neither having an IoU of 0 there, as
                in the kit of ADE20K.

        Returns:
            The scores.

        Raises:
            ValueError: If `matrix` is not square, or `mean_over` is unknown.
        """
        arguments.check_choice(MEAN_OVER, mean_over=mean_over)
        counts = np.asarray(ops.convert_to_numpy(matrix)).astype("int64")
        if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
            raise ValueError(
                "`matrix` must be a square table of counts, rows the truth. "
                f"Received: matrix of shape {counts.shape}"
            )
        right, truth = np.diag(counts), counts.sum(axis=1)
        union = truth + counts.sum(axis=0) - right
        iou = ratio(right, union)
        chosen = np.nan_to_num(iou)[MEAN_OVER[mean_over](truth, union)]
        return cls(
            confusion=tuple(tuple(row) for row in counts.tolist()),
            class_iou=tuple(iou.tolist()),
            mean_iou=float(chosen.mean()) if truth.any() else float("nan"),
            pixel_accuracy=float(ratio(right.sum(), truth.sum())),
        )

    @property
    def truth_pixels(self) -> tuple[int, ...]:
        """The number of pixels of each class in the ground truth."""
        return tuple(sum(row) for row in self.confusion)
