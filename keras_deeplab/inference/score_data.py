"""Scores of a model on a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from keras import ops

from keras_deeplab._types import Progress
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.inference.crf_source import CRFSource, load_crf
from keras_deeplab.inference.inference_plan import InferencePlan
from keras_deeplab.inference.segment import segment
from keras_deeplab.metrics import SegmentationScores, confusion_matrix

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
    layer = None if crf is None else load_crf(crf)
    total = np.zeros((model.classes, model.classes), "int64")
    for index in range(len(data)):
        sample = data.read(index)
        matrix = confusion_matrix(
            sample.labels.astype("int32"),
            segment(model, sample.image, size=size, crf=layer, plan=plan).astype(
                "int32"
            ),
            model.classes,
            data.ignore_label,
        )
        total += ops.convert_to_numpy(matrix)
        if progress is not None:
            progress("segmenting", index + 1, len(data))
    return SegmentationScores.from_confusion(total)
