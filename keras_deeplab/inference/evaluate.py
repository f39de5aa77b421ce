"""Scores of a model on a folder of photos with masks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from keras import ops

from keras_deeplab._types import Progress
from keras_deeplab.data.label_table import LabelTable
from keras_deeplab.data.labels_png import read_labels
from keras_deeplab.data.read_sample import read_sample
from keras_deeplab.data.sample_pair import SamplePair, match_pairs
from keras_deeplab.inference.segment import segment
from keras_deeplab.metrics import SegmentationScores, confusion_matrix

if TYPE_CHECKING:
    from keras_deeplab.models import Segmenter

_SHOWN_PROBLEMS = 5


def evaluate(
    model: Segmenter,
    images_dir: str | os.PathLike[str],
    masks_dir: str | os.PathLike[str],
    *,
    ignore_label: int | None = 255,
    size: int | None = None,
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
        progress: Called after each pair with what is being done (`"checking"`,
            `"segmenting"`), the number of pairs done, and their total.

    Returns:
        The scores.

    Raises:
        ValueError: If a photo or mask lacks its partner, differs from it in size, or
            cannot be read, or a mask holds colours or labels out of range: the message
            names the files. If every pixel of the masks is to be ignored.
    """
    report = progress or _no_progress
    pairs = match_pairs(images_dir, masks_dir)
    _check(pairs, model.classes, ignore_label, report)
    total = np.zeros((model.classes, model.classes), "int64")
    for done, pair in enumerate(pairs, start=1):
        matrix = confusion_matrix(
            read_labels(pair.mask).astype("int32"),
            segment(model, pair.image, size=size).astype("int32"),
            model.classes,
            ignore_label,
        )
        total += ops.convert_to_numpy(matrix)
        report("segmenting", done, len(pairs))
    if not total.any():
        raise ValueError(
            "Every pixel of the masks has the label to ignore: there is nothing to "
            f"score. Received: ignore_label={ignore_label}, masks_dir={masks_dir}"
        )
    return SegmentationScores.from_confusion(total)


def _check(
    pairs: Sequence[SamplePair],
    classes: int,
    ignore_label: int | None,
    report: Progress,
) -> None:
    table = LabelTable(classes, ignore_label)
    problems = []
    for done, pair in enumerate(pairs, start=1):
        try:
            read_sample(pair, table)
        except (OSError, ValueError) as error:
            problems.append(str(error))
        report("checking", done, len(pairs))
    if problems:
        more = len(problems) - _SHOWN_PROBLEMS
        raise ValueError(
            f"{len(problems)} of {len(pairs)} pairs cannot be evaluated: "
            + "; ".join(problems[:_SHOWN_PROBLEMS])
            + (f"; and {more} more" if more > 0 else "")
        )


def _no_progress(task: str, done: int, total: int) -> None:
    pass
