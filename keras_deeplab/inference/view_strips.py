"""What a model says of one view of a photo, strip by strip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_deeplab.inference.ask import ask
from keras_deeplab.inference.framing import (
    frame_for,
    limited_size,
    resized_photo,
    scaled_size,
)
from keras_deeplab.inference.shared_model import at_scale
from keras_deeplab.inference.strips import (
    resized_bands,
    resized_strips,
    strip_rows,
)
from keras_deeplab.inference.window_bands import WindowGrid, window_bands

if TYPE_CHECKING:
    from keras_deeplab.inference.inference_plan import InferencePlan
    from keras_deeplab.inference.predictor import Predictor
    from keras_deeplab.inference.view import View

Array = np.ndarray[Any, Any]
Step = Callable[[int], None]


def view_strips(
    model: Predictor,
    photo: Array,
    view: View,
    *,
    size: int | None,
    plan: InferencePlan,
    batch_size: int,
    step: Step,
) -> Iterator[Array]:
    """Shows a model one view of a photo.

    Args:
        model: The model, at the plan's output stride.
        photo: uint8 RGB, `(H, W, 3)`.
        view: The view.
        size: Largest longer side at which the model sees the photo at scale 1.
        plan: The plan, for its window.
        batch_size: How many windows the model is shown at once.
        step: Called after each call of the model with the number of its pictures.

    Yields:
        float32 strips of what the model says, `(rows, W, classes)`.
    """
    shown = photo[:, ::-1] if view.flipped else photo
    window = plan.window_size
    if window is None:
        strips = _whole(model, shown, size, view.scale, step)
    else:
        content = scaled_size(limited_size(photo.shape[:2], size), view.scale)
        grid = WindowGrid.over(model, content, window, plan.overlap)
        picture = resized_photo(shown, content)
        bands = window_bands(model, picture, grid, batch_size=batch_size, step=step)
        rows = strip_rows(photo.shape[1], model.classes)
        strips = resized_bands(bands, content[0], photo.shape[:2], rows)
    for strip in strips:
        yield strip[:, ::-1] if view.flipped else strip


def count_looks(
    model: Predictor,
    photo_size: tuple[int, int],
    size: int | None,
    plan: InferencePlan,
) -> int:
    """How many pictures a model is shown of a photo, in all views together."""
    window = plan.window_size
    if window is None:
        return len(plan.views)
    whole = limited_size(photo_size, size)
    contents = [scaled_size(whole, view.scale) for view in plan.views]
    return sum(
        WindowGrid.over(model, content, window, plan.overlap).count
        for content in contents
    )


def _whole(
    model: Predictor, photo: Array, size: int | None, scale: float, step: Step
) -> Iterator[Array]:
    frame = frame_for(model, photo.shape[:2], size, scale)
    (answer,) = ask(at_scale(model, scale, frame.canvas), [photo], [frame])
    step(1)
    return resized_strips(answer, photo.shape[:2])
