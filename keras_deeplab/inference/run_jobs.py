"""Many photos: decoded ahead, and shown to the model in batches."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_deeplab._types import Progress
from keras_deeplab.data.image_file import quiet_pillow
from keras_deeplab.data.photo import read_photo
from keras_deeplab.inference.ask import ask
from keras_deeplab.inference.crf_source import CRFSource, load_crf
from keras_deeplab.inference.framing import PhotoFrame, frame_for
from keras_deeplab.inference.inference_plan import InferencePlan
from keras_deeplab.inference.photo_job import PhotoJob
from keras_deeplab.inference.photo_scores import PhotoScores, photo_scores
from keras_deeplab.inference.plan_check import check_plan
from keras_deeplab.inference.shared_model import at_output_stride, at_scale
from keras_deeplab.inference.strips import resized_strips
from keras_deeplab.layers import DenseCRF, arguments

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor

Array = np.ndarray[Any, Any]
Read = tuple[PhotoJob, Array | Exception]


def run_jobs(
    model: Predictor,
    jobs: Iterable[PhotoJob],
    *,
    size: int | None = None,
    crf: CRFSource | None = None,
    plan: InferencePlan | None = None,
    batch_size: int = 1,
    progress: Progress | None = None,
) -> Iterator[tuple[PhotoJob, Array | Exception]]:
    """Runs jobs one after the other; one that fails does not stop the rest.

    The next photos are decoded in threads while the model works. Photos in a row that
    fill the same input are shown to the model together, up to `batch_size` of them,
    where each is shown once and whole; windows of one photo are shown together too.
    No more than twice `batch_size` photos, and one, are held at a time.

    Args:
        model: The model.
        jobs: What `plan_jobs` returned.
        size: Largest longer side at which the model sees a photo.
        crf: A CRF that refines the logits, as in `segment`.
        plan: Scales, mirror images, windows and output stride; by default the whole
            photo once.
        batch_size: Most photos, or windows, that the model is shown at once.
        progress: As in `segment`, for each photo of which there is more than one
            view or window.

    Yields:
        Each job, in order, with its pixels of each label, or with the error that ended
        it.

    Raises:
        ValueError: If `batch_size` is not positive, or the model cannot be shown
            photos like that, or tells labels alone where a job asks for more.
    """
    batch_size = arguments.positive(batch_size=batch_size)
    check_plan(model, size, plan)
    plan = plan or InferencePlan()
    jobs = tuple(jobs)
    for job in jobs:
        job.check(model)
    layer = None if crf is None else load_crf(crf)
    shown = at_output_stride(model, plan.output_stride)
    runner = _Runner(model, shown, size, layer, plan, batch_size, progress)
    for group in runner.groups(_decoded(jobs, batch_size)):
        yield from runner.run(group)


def _decoded(jobs: Iterable[PhotoJob], ahead: int) -> Iterator[Read]:
    """Each job with its photo, or with the reason why there is none."""
    waiting: deque[tuple[PhotoJob, Future[Array]]] = deque()
    pool = ThreadPoolExecutor(min(ahead, os.cpu_count() or 1))
    # Here, so that no thread changes the process's filters while the model works.
    with quiet_pillow:
        try:
            for job in jobs:
                waiting.append((job, pool.submit(read_photo, job.photo)))
                if len(waiting) > ahead:
                    yield _arrived(*waiting.popleft())
            while waiting:
                yield _arrived(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def _arrived(job: PhotoJob, photo: Future[Array]) -> Read:
    try:
        return job, photo.result()
    except Exception as error:
        return job, error


@dataclass(frozen=True)
class _Runner:
    """Shows groups of photos to a model, and writes what comes of it."""

    model: Predictor
    # At the output stride of the plan.
    shown: Predictor
    size: int | None
    crf: DenseCRF | None
    plan: InferencePlan
    batch_size: int
    progress: Progress | None

    def groups(self, photos: Iterable[Read]) -> Iterator[list[Read]]:
        """Puts photos together that the model may see at once."""
        group: list[Read] = []
        canvas = None
        for job, photo in photos:
            own = self._canvas(photo)
            if group and (
                own is None or own != canvas or len(group) == self.batch_size
            ):
                yield group
                group = []
            group.append((job, photo))
            canvas = own
        if group:
            yield group

    def run(
        self, group: Sequence[Read]
    ) -> Iterator[tuple[PhotoJob, Array | Exception]]:
        """Does the jobs of a group."""
        scores: Sequence[PhotoScores | None] = [None] * len(group)
        if len(group) > 1:
            # What fails together, for want of memory or else, may well work singly.
            with contextlib.suppress(Exception):
                scores = self._together(
                    [photo for _, photo in group if not isinstance(photo, Exception)]
                )
        for (job, photo), found in zip(group, scores, strict=True):
            yield job, self._finished(job, photo, found)

    def _finished(
        self, job: PhotoJob, photo: Array | Exception, scores: PhotoScores | None
    ) -> Array | Exception:
        if isinstance(photo, Exception):
            return photo
        try:
            return job.write(self.model, photo, scores or self._alone(photo), self.crf)
        # Any: a photo too large for the device ends in an error of the backend's own,
        # tf.errors.ResourceExhaustedError or JAX's RuntimeError, which this package
        # cannot name, and the photos after it may well fit.
        except Exception as error:
            return error

    def _alone(self, photo: Array) -> PhotoScores:
        return photo_scores(
            self.model,
            photo,
            size=self.size,
            plan=self.plan,
            batch_size=self.batch_size,
            progress=self.progress,
        )

    def _together(self, photos: Sequence[Array]) -> list[PhotoScores]:
        frames = [self._frame(photo) for photo in photos]
        scale = self.plan.views[0].scale
        model = at_scale(self.shown, scale, frames[0].canvas)
        answers = ask(model, photos, frames)
        return [
            PhotoScores(self.model.output_kind, resized_strips(answer, photo.shape[:2]))
            for photo, answer in zip(photos, answers, strict=True)
        ]

    def _canvas(self, photo: Array | Exception) -> tuple[int, int] | None:
        once = len(self.plan.views) == 1 and self.plan.window is None
        if isinstance(photo, Exception) or not once or self.batch_size == 1:
            return None
        return self._frame(photo).canvas

    def _frame(self, photo: Array) -> PhotoFrame:
        size = photo.shape[0], photo.shape[1]
        return frame_for(self.shown, size, self.size, self.plan.views[0].scale)
