"""The parameters of the CRF that suit a model, as the papers found theirs."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from keras_deeplab._types import Progress
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.inference.crf_ranges import CRF_RANGES, CRFRanges
from keras_deeplab.inference.crf_search import CRFSearch, CRFTrial
from keras_deeplab.inference.paired_data import paired_data
from keras_deeplab.inference.refine_photo import check_scores, refine_photo
from keras_deeplab.inference.segment import predict_logits
from keras_deeplab.layers import DenseCRF, arguments
from keras_deeplab.layers.crf_accuracy import CRF_ACCURACIES
from keras_deeplab.layers.crf_presets import CRFParameters
from keras_deeplab.metrics import SegmentationScores, confusion_matrix

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor

Array = np.ndarray[Any, Any]

# Of logits that are kept from one round to the next: about 130 photos of PASCAL VOC.
_CACHE_BYTES = 2**31
# Parameters that are tried on one photo after the other before the next ones are: few,
# so that little is lost with a search that is killed, but not one, since logits that
# are not kept are computed again each time.
_AT_ONCE = 4


def search_crf(
    model: Predictor,
    images_dir: str | os.PathLike[str],
    masks_dir: str | os.PathLike[str],
    *,
    ranges: str | CRFRanges = "v1",
    steps: Sequence[float] = (2.0, 1.0, 0.5),
    most_photos: int | None = 100,
    accuracy: str = "accurate",
    ignore_label: int | None = 255,
    size: int | None = None,
    progress: Progress | None = None,
    each_time: Callable[[CRFSearch], object] | None = None,
) -> CRFSearch:
    """Finds weights and widths of the bilateral term on photos with masks.

    As in the papers: a grid over their ranges first, then grids of smaller steps around
    the best so far, on a subset of a validation set. The position term and the number
    of iterations are not searched. A model's logits are computed once, as far as they
    fit into 2 GiB.

    Args:
        model: A model of this package, with its preprocessing attached.
        images_dir: Folder of photos.
        masks_dir: Folder of masks of the same names.
        ranges: `"v1"`, `"v2"`, or ranges of your own.
        steps: Distance of the values in each round, in steps of the ranges. Beginning
            with 1 the first round tries all that the paper did.
        most_photos: How many pairs to take, evenly over all; `None` for all.
        accuracy: `"accurate"` or `"mobile"`: search with what is to be used.
        ignore_label: Label of the mask pixels to leave out, or `None`.
        size: Largest longer side at which the model sees a photo, as in `segment`.
        progress: Called with what is being done (`"checking"`, `"round 1 of 3, 36
            settings on 100 photos"`), the number of steps done, and their total.
        each_time: Called after every four parameters, and so several times in a round,
            with what was found until then.

    Returns:
        What was found.

    Raises:
        ValueError: If an argument is out of range, the model answers with labels, or
            the pairs cannot be read.

    Examples:
        >>> found = keras_deeplab.inference.search_crf(
        ...     model, "photos", "masks"
        ... )  # doctest: +SKIP
        >>> found.write("crf.json")  # doctest: +SKIP
        >>> keras_deeplab.segment(model, "a.jpg", crf="crf.json")  # doctest: +SKIP
    """
    found = _ranges(ranges)
    arguments.check_choice(CRF_ACCURACIES, accuracy=accuracy)
    distances = [arguments.above_zero(steps=step) for step in steps]
    if not distances:
        raise ValueError(f"`steps` must not be empty. Received: steps={steps!r}")
    if most_photos is not None:
        most_photos = arguments.positive(most_photos=most_photos)
    check_scores(model)
    data = paired_data(
        model,
        images_dir,
        masks_dir,
        ignore_label=ignore_label,
        most=most_photos,
        progress=progress,
    )
    search = _Search(model, data, accuracy, size, progress or _no_progress)
    for number, step in enumerate(distances, start=1):
        cells = (
            found.first_round(step)
            if number == 1
            else found.around(search.result.best.parameters, step)
        )
        for _ in search.run(cells, number, len(distances)):
            if each_time is not None:
                each_time(search.result)
    return search.result


def _ranges(ranges: str | CRFRanges) -> CRFRanges:
    if isinstance(ranges, CRFRanges):
        return ranges
    arguments.check_choice(CRF_RANGES, ranges=ranges)
    return CRF_RANGES[ranges]


class _Search:
    """Rounds of a search, photo by photo."""

    def __init__(
        self,
        model: Predictor,
        data: SegmentationData,
        accuracy: str,
        size: int | None,
        report: Progress,
    ) -> None:
        self._model, self._data = model, data
        self._size, self._report = size, report
        self._accuracy = accuracy
        self._kept: dict[int, Array] = {}
        self._plain = float("nan")
        self._trials: list[CRFTrial] = []

    @property
    def result(self) -> CRFSearch:
        return CRFSearch(
            trials=tuple(self._trials),
            plain_mean_iou=self._plain,
            accuracy=self._accuracy,
            photos=tuple(Path(str(pair.image)).name for pair in self._data.pairs),
        )

    def run(
        self, cells: Sequence[CRFParameters], number: int, rounds: int
    ) -> Iterator[None]:
        """Tries parameters on all photos, those that were tried before aside.

        Yields after every few, of which the result then tells.
        """
        tried = {trial.parameters for trial in self._trials}
        new = [cell for cell in cells if cell not in tried]
        photos = len(self._data)
        tries = f"{len(new)} settings on {photos} photos"
        task = f"round {number} of {rounds}, {tries}"
        for first in range(0, len(new), _AT_ONCE):

            def report(done: int, before: int = first * photos) -> None:
                self._report(task, before + done, len(new) * photos)

            self._try(new[first : first + _AT_ONCE], number, report)
            yield

    def _try(
        self,
        cells: Sequence[CRFParameters],
        number: int,
        report: Callable[[int], object],
    ) -> None:
        layers = [
            DenseCRF(accuracy=self._accuracy, **dataclasses.asdict(cell))
            for cell in cells
        ]
        classes = self._model.classes
        # The last one is without a CRF.
        counts = np.zeros((len(layers) + 1, classes, classes), "int64")
        for index in range(len(self._data)):
            sample = self._data.read(index)
            scores = self._scores(index, sample.image)
            for row, layer in enumerate(layers):
                refined = refine_photo(self._model, scores, sample.image, layer)
                counts[row] += self._count(sample.labels, refined)
                report(index * len(layers) + row + 1)
            counts[-1] += self._count(sample.labels, scores)
        *found, self._plain = (_mean_iou(matrix) for matrix in counts)
        self._trials += [
            CRFTrial(parameters=layer.crf_parameters, mean_iou=value, round=number)
            for layer, value in zip(layers, found, strict=True)
        ]

    def _scores(self, index: int, photo: Array) -> Array:
        if index in self._kept:
            return self._kept[index]
        scores = predict_logits(self._model, photo, size=self._size)
        held = sum(kept.nbytes for kept in self._kept.values())
        if held + scores.nbytes <= _CACHE_BYTES:
            self._kept[index] = scores
        return scores

    def _count(self, truth: Array, scores: Array) -> Array:
        matrix = confusion_matrix(
            truth.astype("int32"),
            scores.argmax(axis=-1).astype("int32"),
            self._model.classes,
            self._data.ignore_label,
        )
        return np.asarray(ops.convert_to_numpy(matrix))


def _mean_iou(matrix: Array) -> float:
    return SegmentationScores.from_confusion(matrix).mean_iou


def _no_progress(task: str, done: int, total: int) -> None:
    pass
