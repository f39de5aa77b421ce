"""One photo's way from its file to its results on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_deeplab._atomic_file import write_atomically
from keras_deeplab._types import Progress
from keras_deeplab.data.labels_png import write_labels
from keras_deeplab.data.photo import read_photo
from keras_deeplab.data.photo_files import (
    CONFIDENCE_ENDING,
    LABELS_ENDING,
    OVERLAY_ENDING,
    PROBABILITIES_ENDING,
)
from keras_deeplab.inference.class_share import count_labels
from keras_deeplab.inference.crf_source import CRFSource
from keras_deeplab.inference.inference_plan import InferencePlan
from keras_deeplab.inference.overlay import draw_overlay
from keras_deeplab.inference.photo_scores import PhotoScores, photo_scores
from keras_deeplab.inference.refine_photo import check_scores
from keras_deeplab.inference.score_files import score_files
from keras_deeplab.inference.segment import check_classes

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class PhotoJob:
    """A photo and the files to be made of it.

    Args:
        photo: The photo's file.
        labels: The label map to write.
        overlay: The picture to write.
        confidence: The grey picture of the labels' probabilities to write, if any: 255
            times the probability, rounded.
        probabilities: The array of all probabilities to write, if any: float16
            `(H, W, classes)`.
    """

    photo: Path
    labels: Path
    overlay: Path
    confidence: Path | None = None
    probabilities: Path | None = None

    @property
    def results(self) -> tuple[Path, ...]:
        """The files to be made."""
        files = (self.labels, self.overlay, self.confidence, self.probabilities)
        return tuple(file for file in files if file is not None)

    @property
    def stale(self) -> tuple[Path, ...]:
        """Files of an earlier run beside those to be made, and of its labels."""
        stem = self.labels.name.removesuffix(LABELS_ENDING)
        files = (
            self.labels.with_name(f"{stem}{ending}")
            for ending in (CONFIDENCE_ENDING, PROBABILITIES_ENDING)
        )
        return tuple(
            # Of a name that is too long for a file, `Path.exists` is an error.
            file
            for file in files
            if file not in self.results and os.path.exists(file)
        )

    def run(
        self,
        model: Predictor,
        *,
        size: int | None = None,
        crf: CRFSource | None = None,
        plan: InferencePlan | None = None,
        batch_size: int = 1,
        progress: Progress | None = None,
    ) -> Array:
        """Segments the photo and writes its files, each whole or not at all.

        Args:
            model: The model.
            size: Largest longer side at which the model sees the photo.
            crf: A CRF that refines the logits, as in `segment`.
            plan: Scales, mirror images, windows and output stride; by default the
                whole photo once.
            batch_size: How many windows of the photo the model is shown at once.
            progress: As in `segment`.

        Returns:
            Pixels of each label, int64 `(256,)`.

        Raises:
            ValueError: If the photo is not a whole image, or an argument is not usable.
            OSError: If a file cannot be read or written.
        """
        self.check(model)
        photo = read_photo(self.photo)
        scores = photo_scores(
            model,
            photo,
            size=size,
            plan=plan,
            batch_size=batch_size,
            progress=progress,
        )
        return self.write(model, photo, scores, crf)

    def check(self, model: Predictor) -> None:
        """Raises `ValueError` if the model does not tell what is to be written."""
        for name in ("confidence", "probabilities"):
            if getattr(self, name) is not None:
                check_scores(model, name)

    def write(
        self,
        model: Predictor,
        photo: Array,
        scores: PhotoScores,
        crf: CRFSource | None = None,
    ) -> Array:
        """Does the part of `run` that comes after the model.

        Args:
            model: The model.
            photo: uint8 RGB, `(H, W, 3)`.
            scores: What the model says of it.
            crf: A CRF that refines them.

        Returns:
            Pixels of each label, int64 `(256,)`.

        Raises:
            ValueError: If `crf` is not usable or the model has too many classes.
            OSError: If a file cannot be written.
        """
        check_classes(model)
        if crf is not None:
            scores = scores.refined(model, photo, crf)
        size = photo.shape[0], photo.shape[1]
        with score_files(
            (*size, model.classes), self.confidence, self.probabilities
        ) as put:
            labels = np.concatenate([put(scores, strip) for strip in scores.strips])
        picture = draw_overlay(photo, labels, model.class_names)
        write_labels(self.labels, labels)
        write_atomically(self.overlay, lambda file: picture.save(file, "PNG"))
        return count_labels(labels)


def plan_jobs(
    photos: Iterable[Path],
    folder: str | os.PathLike[str],
    *,
    confidence: bool = False,
    probabilities: bool = False,
) -> tuple[PhotoJob, ...]:
    """Decides which files are made of which photos.

    Args:
        photos: Files of photos.
        folder: Where the label maps and overlays go.
        confidence: Whether to write how sure the model is of each label.
        probabilities: Whether to write the probabilities of all classes.

    Returns:
        A job for each photo, in order.

    Raises:
        ValueError: If two photos have the same name up to the ending, so that one
            would overwrite the other's files, or a result would replace a photo.
    """
    endings = {
        "labels": LABELS_ENDING,
        "overlay": OVERLAY_ENDING,
        **({"confidence": CONFIDENCE_ENDING} if confidence else {}),
        **({"probabilities": PROBABILITIES_ENDING} if probabilities else {}),
    }
    jobs = tuple(_job(photo, Path(folder), endings) for photo in photos)
    taken = {_key(job.photo): job.photo for job in jobs}
    for job in jobs:
        for result in job.results:
            if _key(result) in taken:
                raise ValueError(
                    f"Two photos must not lead to the same file, {result.name}. "
                    "Rename one, or give them in two runs with different folders for "
                    f"the results. Received: {taken[_key(result)]} and {job.photo}"
                )
            taken[_key(result)] = job.photo
    return jobs


def _key(path: Path) -> str:
    # Some file systems do not tell upper from lower case.
    # Unlike `resolve`, it takes a link to itself for what it is.
    return os.path.realpath(path).casefold()


def _job(photo: Path, folder: Path, endings: Mapping[str, str]) -> PhotoJob:
    results = {kind: folder / f"{photo.stem}{end}" for kind, end in endings.items()}
    return PhotoJob(photo=photo, **results)
