"""One photo's way from its file to its label map and overlay on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_deeplab._atomic_file import write_atomically
from keras_deeplab.data.labels_png import write_labels
from keras_deeplab.data.photo import read_photo
from keras_deeplab.data.photo_files import LABELS_ENDING, OVERLAY_ENDING
from keras_deeplab.inference.class_share import count_labels
from keras_deeplab.inference.crf_source import CRFSource
from keras_deeplab.inference.overlay import draw_overlay
from keras_deeplab.inference.segment import segment

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor


@dataclass(frozen=True)
class PhotoJob:
    """A photo and the files to be made of it.

    Args:
        photo: The photo's file.
        labels: The label map to write.
        overlay: The picture to write.
    """

    photo: Path
    labels: Path
    overlay: Path

    def run(
        self,
        model: Predictor,
        *,
        size: int | None = None,
        crf: CRFSource | None = None,
    ) -> np.ndarray[Any, Any]:
        """Segments the photo and writes both files, each whole or not at all.

        Args:
            model: The model.
            size: Largest longer side at which the model sees the photo.
            crf: A CRF that refines the logits, as in `segment`.

        Returns:
            Pixels of each label, int64 `(256,)`.

        Raises:
            ValueError: If the photo is not a whole image.
            OSError: If a file cannot be read or written.
        """
        photo = read_photo(self.photo)
        labels = segment(model, photo, size=size, crf=crf)
        picture = draw_overlay(photo, labels, model.class_names)
        write_labels(self.labels, labels)
        write_atomically(self.overlay, lambda file: picture.save(file, "PNG"))
        return count_labels(labels)


def plan_jobs(
    photos: Iterable[Path], folder: str | os.PathLike[str]
) -> tuple[PhotoJob, ...]:
    """Decides which files are made of which photos.

    Args:
        photos: Files of photos.
        folder: Where the label maps and overlays go.

    Returns:
        A job for each photo, in order.

    Raises:
        ValueError: If two photos have the same name up to the ending, so that one
            would overwrite the other's files, or a result would replace a photo.
    """
    jobs = tuple(_job(photo, Path(folder)) for photo in photos)
    taken = {_key(job.photo): job.photo for job in jobs}
    for job in jobs:
        for result in (job.labels, job.overlay):
            if _key(result) in taken:
                raise ValueError(
                    f"Two photos must not lead to the same file, {result.name}. "
                    "Rename one, or give them in two runs with different folders for "
                    f"the results. Received: {taken[_key(result)]} and {job.photo}"
                )
            taken[_key(result)] = job.photo
    return jobs


def run_jobs(
    model: Predictor,
    jobs: Iterable[PhotoJob],
    *,
    size: int | None = None,
    crf: CRFSource | None = None,
) -> Iterator[tuple[PhotoJob, np.ndarray[Any, Any] | Exception]]:
    """Runs jobs one after the other; one that fails does not stop the rest.

    Args:
        model: The model.
        jobs: What `plan_jobs` returned.
        size: Largest longer side at which the model sees a photo.
        crf: A CRF that refines the logits, as in `segment`.

    Yields:
        Each job with its pixels of each label, or with the error that ended it.
    """
    for job in jobs:
        try:
            yield job, job.run(model, size=size, crf=crf)
        # Any: a photo too large for the device ends in an error of the backend's own,
        # tf.errors.ResourceExhaustedError or JAX's RuntimeError, which this package
        # cannot name, and the photos after it may well fit.
        except Exception as error:
            yield job, error


def _key(path: Path) -> str:
    # Some file systems do not tell upper from lower case.
    # Unlike `resolve`, it takes a link to itself for what it is.
    return os.path.realpath(path).casefold()


def _job(photo: Path, folder: Path) -> PhotoJob:
    return PhotoJob(
        photo=photo,
        labels=folder / f"{photo.stem}{LABELS_ENDING}",
        overlay=folder / f"{photo.stem}{OVERLAY_ENDING}",
    )
