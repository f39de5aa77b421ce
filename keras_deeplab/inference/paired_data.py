"""Photos with masks to score a model on, each read once before the work starts."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import numpy as np

from keras_deeplab._types import Progress
from keras_deeplab.data.held_back import split_last
from keras_deeplab.data.sample_pair import match_pairs
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.inference.class_share import class_name

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor

_SHOWN_PROBLEMS = 5


def paired_data(
    model: Predictor,
    images_dir: str | os.PathLike[str],
    masks_dir: str | os.PathLike[str],
    *,
    ignore_label: int | None = 255,
    most: int | None = None,
    validation: int | None = None,
    progress: Progress | None = None,
) -> SegmentationData:
    """Finds and checks the photos and masks of two folders.

    Args:
        model: The model, for its classes and their names.
        images_dir: Folder of photos.
        masks_dir: Folder of masks of the same names.
        ignore_label: Label of the mask pixels to leave out, or `None`.
        most: How many pairs to take, evenly over all; by default all.
        validation: Take but the last so many by name, which `training.find_data` holds
            back from a folder that is not split.
        progress: Called with `"checking"`, the number of pairs read, and their total.

    Returns:
        The pairs.

    Raises:
        ValueError: If a photo or mask lacks its partner, differs from it in size, or
            cannot be read, or a mask holds colours or labels out of range: the message
            names the files. If every pixel of the masks is to be ignored, or
            `validation` is out of range.
    """
    data = SegmentationData(
        pairs=match_pairs(images_dir, masks_dir),
        class_names=tuple(
            class_name(label, model.class_names) for label in range(model.classes)
        ),
        ignore_label=ignore_label,
    )
    if validation is not None:
        _, data = split_last(data, validation)
    if most is not None and most < len(data):
        chosen = np.linspace(0, len(data) - 1, most).round().astype(int)
        pairs = tuple(data.pairs[index] for index in chosen)
        data = dataclasses.replace(data, pairs=pairs)
    check_pairs(data, progress)
    return data


def check_pairs(data: SegmentationData, progress: Progress | None = None) -> None:
    """Reads every pair once, so that no mistake is found after hours of work.

    Args:
        data: Photos with masks.
        progress: Called with `"checking"`, the number of pairs read, and their total.

    Raises:
        ValueError: If a pair cannot be read, or its photo and mask do not fit, or hold
            what is no label: the message names the files. If every pixel of the masks
            is to be ignored.
    """
    problems, counted = [], False
    for index in range(len(data)):
        try:
            labels = data.read(index).labels
            counted = counted or bool((labels != data.ignore_label).any())
        except (OSError, ValueError) as error:
            problems.append(str(error))
        if progress is not None:
            progress("checking", index + 1, len(data))
    if problems:
        more = len(problems) - _SHOWN_PROBLEMS
        raise ValueError(
            f"{len(problems)} of {len(data)} pairs cannot be evaluated: "
            + "; ".join(problems[:_SHOWN_PROBLEMS])
            + (f"; and {more} more" if more > 0 else "")
        )
    if not counted:
        raise ValueError(
            "Every pixel of the masks has the label to ignore: there is nothing to "
            f"score. Received: ignore_label={data.ignore_label}, {len(data)} masks, "
            f"the first {data.pairs[0].mask}"
        )
