"""All that was measured of a model on a dataset."""

from __future__ import annotations

from dataclasses import dataclass

from keras_deeplab.inference.worst_photos import WorstPhoto
from keras_deeplab.metrics import Calibration, SegmentationScores


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All that was measured of a model on a dataset, in one pass.

    Args:
        mean_over: Classes that each mean IoU is over, as in `SegmentationScores`.
        scores: The scores over all pixels that count.
        trimap: The scores in bands along boundaries, by their width in pixels.
        calibration: Confidence against accuracy, if it was asked for.
        worst: The photos of the lowest mean IoU, the lowest first.
        plain: Where a CRF was used, the same without it.
    """

    mean_over: str
    scores: SegmentationScores
    trimap: dict[int, SegmentationScores]
    calibration: Calibration | None = None
    worst: tuple[WorstPhoto, ...] = ()
    plain: Evaluation | None = None
