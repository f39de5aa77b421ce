"""Scores of a model on a folder of photos with masks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_deeplab._types import Progress
from keras_deeplab.inference.crf_source import CRFSource, load_crf
from keras_deeplab.inference.inference_plan import InferencePlan
from keras_deeplab.inference.paired_data import paired_data
from keras_deeplab.inference.score_data import score_data
from keras_deeplab.metrics import SegmentationScores

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor


def evaluate(
    model: Predictor,
    images_dir: str | os.PathLike[str],
    masks_dir: str | os.PathLike[str],
    *,
    ignore_label: int | None = 255,
    size: int | None = None,
    crf: CRFSource | None = None,
    plan: InferencePlan | None = None,
    progress: Progress | None = None,
) -> SegmentationScores:
    """Scores a model on photos with masks, at the masks' own sizes.

    A photo and its mask have the same name up to the ending. Every pair is read and
    checked before the model runs for the first time, so a mistake in the last mask
    costs no hour. The confusion matrix is summed over all photos; see
    `SegmentationScores` for what is made of it.

    Args:
        model: A model of this package, with its preprocessing attached.
        images_dir: Folder of photos.
        masks_dir: Folder of label maps: PNG, palette or grey, one label a pixel.
        ignore_label: Label of the mask pixels to leave out, or `None` to count all.
        size: Largest longer side at which the model sees a photo, as in `segment`.
        crf: A CRF that refines the logits, as in `segment`.
        plan: Scales, mirror images, windows and output stride; by default the whole
            photo once.
        progress: Called after each pair with what is being done (`"checking"`,
            `"segmenting"`), the number of pairs done, and their total.

    Returns:
        The scores.

    Raises:
        ValueError: If a photo or mask lacks its partner, differs from it in size, or
            cannot be read, or a mask holds colours or labels out of range: the message
            names the files. If every pixel of the masks is to be ignored, or `crf` is
            not usable.
    """
    layer = None if crf is None else load_crf(crf)
    data = paired_data(
        model, images_dir, masks_dir, ignore_label=ignore_label, progress=progress
    )
    return score_data(model, data, size=size, crf=layer, plan=plan, progress=progress)
