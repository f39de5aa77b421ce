"""Scores of a model on a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_deeplab._types import Progress
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.inference.crf_source import CRFSource
from keras_deeplab.inference.evaluate_data import evaluate_data
from keras_deeplab.inference.inference_plan import InferencePlan
from keras_deeplab.metrics import SegmentationScores

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor


def score_data(
    model: Predictor,
    data: SegmentationData,
    *,
    size: int | None = None,
    crf: CRFSource | None = None,
    plan: InferencePlan | None = None,
    progress: Progress | None = None,
) -> SegmentationScores:
    """Scores a model on photos with masks, at the masks' own sizes.

    `evaluate_data` tells more, in the same pass.

    Args:
        model: A model of this package, with its preprocessing attached.
        data: Photos with masks, of the model's classes.
        size: Largest longer side at which the model sees a photo, as in `segment`.
        crf: A CRF that refines the logits, as in `segment`.
        plan: Scales, mirror images, windows and output stride; by default the whole
            photo once.
        progress: Called after each pair with `"segmenting"`, the number of pairs done,
            and their total.

    Returns:
        The scores, from one confusion matrix over all photos.

    Raises:
        OSError: If a file is not there or may not be read.
        ValueError: If a file cannot be decoded, or does not fit its partner or the
            classes: the message names it. If `crf` is not usable.
    """
    return evaluate_data(
        model, data, size=size, crf=crf, plan=plan, progress=progress
    ).scores
