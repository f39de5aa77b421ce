"""What is to be measured beside the confusion matrix."""

from dataclasses import dataclass

from keras_deeplab.layers import arguments
from keras_deeplab.metrics import MEAN_OVER
from keras_deeplab.metrics.trimap import check_widths


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What is to be measured beside the confusion matrix, in the same pass.

    Args:
        mean_over: Classes that a mean IoU is over, as in `SegmentationScores`.
        trimap: Widths of the bands along boundaries, as `Trimap` takes them; none for
            no scores there.
        calibration: Whether to compare confidence with accuracy.
        worst: How many of the photos of the lowest mean IoU to keep.

    Raises:
        ValueError: If `mean_over` is unknown, or widths are not rising and above 0.
    """

    mean_over: str = "truth"
    trimap: tuple[int, ...] = ()
    calibration: bool = False
    worst: int = 0

    def __post_init__(self) -> None:
        arguments.check_choice(MEAN_OVER, mean_over=self.mean_over)
        if self.trimap:
            check_widths(self.trimap)
