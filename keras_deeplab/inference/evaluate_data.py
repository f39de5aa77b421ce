"""All measures of a model on a dataset, in one pass."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from keras_deeplab._types import Progress
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.inference.crf_source import CRFSource, load_crf
from keras_deeplab.inference.evaluation import Evaluation
from keras_deeplab.inference.inference_plan import InferencePlan
from keras_deeplab.inference.measures import Measures
from keras_deeplab.inference.photo_scores import PhotoScores, photo_scores
from keras_deeplab.inference.refine_photo import check_scores
from keras_deeplab.inference.segment import check_classes, labels_of
from keras_deeplab.inference.worst_photos import WorstPhotos
from keras_deeplab.metrics import (
    Calibration,
    SegmentationScores,
    Trimap,
    confusion_matrix,
)

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor


def evaluate_data(
    model: Predictor,
    data: SegmentationData,
    *,
    measures: Measures | None = None,
    size: int | None = None,
    crf: CRFSource | None = None,
    plan: InferencePlan | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measures a model on photos with masks, at the masks' own sizes.

    The model sees each photo once, whatever is measured, and nothing of a photo is kept
    but counts, and the labels of the worst.

    Args:
        model: A model of this package, with its preprocessing attached.
        data: Photos with masks, of the model's classes.
        measures: What to measure beside the scores.
        size: Largest longer side at which the model sees a photo, as in `segment`.
        crf: A CRF that refines the logits, as in `segment`.
        plan: Scales, mirror images, windows and output stride; by default the whole
            photo once.
        progress: Called after each pair with `"segmenting"`, the number of pairs done,
            and their total.

    Returns:
        What was measured; where there is a CRF, with and without it.

    Raises:
        OSError: If a file is not there or may not be read.
        ValueError: If a file cannot be decoded, or does not fit its partner or the
            classes: the message names it. If `data` has another number of classes than
            the model. If `crf` or an argument of `measures` is not usable.
    """
    measures = measures or Measures()
    layer = None if crf is None else load_crf(crf)
    _check(model, data, measures, crf)
    tallies = [_Tally(data, measures) for _ in range(1 if layer is None else 2)]
    for index in range(len(data)):
        sample = data.read(index)
        scores = photo_scores(model, sample.image, size=size, plan=plan)
        answers = [scores]
        if layer is not None:
            strips = list(scores.strips)
            kept, given = (PhotoScores(scores.kind, iter(strips)) for _ in range(2))
            answers = [kept, given.refined(model, sample.image, layer)]
        for tally, answer in zip(tallies, answers, strict=True):
            tally.update(index, sample.labels, answer)
        if progress is not None:
            progress("segmenting", index + 1, len(data))
    plain, *refined = (tally.result() for tally in tallies)
    return dataclasses.replace(refined[0], plain=plain) if refined else plain


class _Tally:
    """What is counted of one kind of answer."""

    def __init__(self, data: SegmentationData, measures: Measures) -> None:
        self._measures = measures
        self._classes, self._ignore_label = data.classes, data.ignore_label
        self._confusion = np.zeros((data.classes, data.classes), "int64")
        self._trimap = self._calibration = None
        if measures.trimap:
            self._trimap = Trimap(
                data.classes,
                measures.trimap,
                ignore_label=data.ignore_label,
                mean_over=measures.mean_over,
            )
        if measures.calibration:
            self._calibration = Calibration(ignore_label=data.ignore_label)
        self._worst = WorstPhotos(measures.worst)

    def update(
        self, index: int, labels: np.ndarray[Any, Any], answer: PhotoScores
    ) -> None:
        said = self._labels_of(answer, labels)
        matrix = confusion_matrix(
            labels.astype("int32"),
            said.astype("int32"),
            self._classes,
            self._ignore_label,
        )
        self._confusion += ops.convert_to_numpy(matrix)
        if self._trimap is not None:
            self._trimap.update(labels, said)
        if self._measures.worst:
            alone = SegmentationScores.from_confusion(matrix)
            self._worst.update(alone.mean_iou, index, said)

    def _labels_of(
        self, answer: PhotoScores, labels: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, Any]:
        """What is said of all pixels; the probabilities are counted in passing."""
        parts: list[np.ndarray[Any, Any]] = []
        top = 0
        for strip in answer.strips:
            parts.append(labels_of(strip))
            if self._calibration is not None:
                rows = labels[top : top + len(strip)]
                self._calibration.update(rows, answer.probabilities(strip))
            top += len(strip)
        return np.concatenate(parts)

    def result(self) -> Evaluation:
        trimap = self._trimap
        return Evaluation(
            mean_over=self._measures.mean_over,
            scores=SegmentationScores.from_confusion(
                self._confusion, mean_over=self._measures.mean_over
            ),
            trimap=dict(zip(trimap.widths, trimap.scores(), strict=True))
            if trimap
            else {},
            calibration=self._calibration,
            worst=self._worst.photos,
        )


def _check(
    model: Predictor,
    data: SegmentationData,
    measures: Measures,
    crf: CRFSource | None,
) -> None:
    check_classes(model)
    if data.classes != model.classes:
        raise ValueError(
            "`data` must have the classes of the model. Received: "
            f"data.classes={data.classes}, model.classes={model.classes}"
        )
    if crf is not None:
        check_scores(model)
    if measures.calibration:
        check_scores(model, "calibration")
