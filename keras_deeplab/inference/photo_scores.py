"""What a model says of a photo, at the photo's size and strip by strip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_deeplab._types import Progress
from keras_deeplab.inference.crf_source import CRFSource, load_crf
from keras_deeplab.inference.inference_plan import InferencePlan
from keras_deeplab.inference.plan_check import check_plan
from keras_deeplab.inference.refine_photo import check_scores, refined_probabilities
from keras_deeplab.inference.score_kinds import TO_LOGITS, TO_PROBABILITIES
from keras_deeplab.inference.shared_model import at_output_stride
from keras_deeplab.inference.view_strips import count_looks, view_strips

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class PhotoScores:
    """Scores of a photo's pixels, the largest at each pixel's label.

    Args:
        kind: What they are: `"logits"`, `"probabilities"` or `"labels"`.
        strips: float32 `(rows, W, classes)`, one below the other; they come once.
    """

    kind: str
    strips: Iterator[Array]

    def probabilities(self, strip: Array) -> Array:
        """Turns a strip into probabilities."""
        return TO_PROBABILITIES[self.kind](strip)

    def refined(self, model: Predictor, photo: Array, crf: CRFSource) -> PhotoScores:
        """What a CRF makes of them, all at once.

        Args:
            model: The model, which must tell more than labels.
            photo: uint8 RGB, `(H, W, 3)`.
            crf: The CRF, as in `segment`.

        Returns:
            Probabilities.
        """
        layer = load_crf(crf)
        check_scores(model)
        logits = np.concatenate([TO_LOGITS[self.kind](strip) for strip in self.strips])
        refined = refined_probabilities(logits, photo, layer)
        return PhotoScores("probabilities", iter([refined]))


def photo_scores(
    model: Predictor,
    photo: Array,
    *,
    size: int | None = None,
    plan: InferencePlan | None = None,
    batch_size: int = 1,
    progress: Progress | None = None,
) -> PhotoScores:
    """Shows a model a photo as a plan says.

    Args:
        model: The model.
        photo: uint8 RGB, `(H, W, 3)`.
        size: Largest longer side at which the model sees the photo.
        plan: The plan; by default the whole photo once.
        batch_size: How many windows the model is shown at once.
        progress: Called after each call of the model with `"this photo"`, the number of
            pictures shown, and their total.

    Returns:
        What the model says, or the average of the probabilities where it was shown
        more than one view.

    Raises:
        ValueError: If the model cannot be shown photos like that.
    """
    check_plan(model, size, plan)
    plan = plan or InferencePlan()
    kind = model.output_kind
    model = at_output_stride(model, plan.output_stride)
    step = _steps(count_looks(model, photo.shape[:2], size, plan), progress)
    views = [
        view_strips(
            model, photo, view, size=size, plan=plan, batch_size=batch_size, step=step
        )
        for view in plan.views
    ]
    if len(views) == 1:
        return PhotoScores(kind, views[0])
    return PhotoScores("probabilities", _averaged(views, TO_PROBABILITIES[kind]))


def _averaged(
    views: list[Iterator[Array]], probabilities: Callable[[Array], Array]
) -> Iterator[Array]:
    first, *others = views
    for strip in first:
        total = probabilities(strip)
        for other in others:
            total = total + probabilities(next(other))
        yield total / len(views)


def _steps(total: int, progress: Progress | None) -> Callable[[int], None]:
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress("this photo", done, total)

    return step
