"""Whether a model can be shown a photo as a plan says, and what it makes of it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from keras_deeplab.inference.framing import check_size
from keras_deeplab.inference.inference_plan import InferencePlan
from keras_deeplab.inference.shared_model import (
    at_output_stride,
    pools_by_crop,
    pools_globally,
)

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor


# Once for each model, not for each photo: Python forgets what it said whenever a filter
# of warnings changes, which decoding a photo does.
_TOLD: WeakKeyDictionary[Predictor, set[str]] = WeakKeyDictionary()


class ImagePoolingWarning(UserWarning):
    """Image pooling averages another extent of the scene than in training."""


def check_plan(
    model: Predictor, size: int | None = None, plan: InferencePlan | None = None
) -> None:
    """Checks how a model is to be shown photos.

    Args:
        model: The model.
        size: Limit of the longer side, or `None`.
        plan: The plan, or `None`.

    Raises:
        TypeError: If `plan` is something else.
        ValueError: If the model cannot be shown photos like that.

    Warns:
        ImagePoolingWarning: If the model averages the scene over another extent than
            in training, so that its answer may be worse. Said once for a model.
    """
    check_size(model, size)
    if not isinstance(plan, InferencePlan | None):
        raise TypeError(
            "`plan` must be an `InferencePlan`, such as `InferencePlan.multi_scale()`, "
            f"or `None`. Received: plan={plan!r}"
        )
    plan = plan or InferencePlan()
    model = at_output_stride(model, plan.output_stride)
    if None not in model.input_shape[1:3]:
        _check_fixed(model, plan)
    elif plan.window_size and min(plan.window_size) < model.output_stride:
        raise ValueError(
            "`window` must be at least the model's output stride, "
            f"{model.output_stride}. Received: window={plan.window}"
        )
    problem = _pooling_problem(model, plan)
    if problem is not None and problem not in _TOLD.setdefault(model, set()):
        _TOLD[model].add(problem)
        warnings.warn(
            f"The model's image pooling is not that of its training: {problem}.",
            ImagePoolingWarning,
            stacklevel=2,
        )


def _check_fixed(model: Predictor, plan: InferencePlan) -> None:
    height, width = model.input_shape[1:3]
    own = f"This model has a fixed input of {height} x {width} pixels"
    if plan.window is None and plan.scales != (1.0,):
        raise ValueError(
            f"{own}, so the whole photo has no other scale: leave `scales` out, give "
            f"`window=({height}, {width})`, or take a model of any size. "
            f"Received: scales={plan.scales}"
        )
    if plan.window_size is not None and plan.window_size != (height, width):
        raise ValueError(
            f"{own}: `window` must be ({height}, {width}). "
            f"Received: window={plan.window}"
        )


def _pooling_problem(model: Predictor, plan: InferencePlan) -> str | None:
    crop = model.crop_size
    if pools_globally(model) and plan.window is not None:
        return (
            "it averages over all it sees, here a window instead of the photo. Give "
            "the model the `crop_size` of its training"
        )
    if crop is None or not pools_by_crop(model):
        return None
    height, width = model.input_shape[1:3]
    if _is_smaller((height, width), crop):
        return (
            f"its input, {height} x {width}, is smaller than its training crop. Take "
            f"one of at least {crop[0]} x {crop[1]}, or of any size"
        )
    if _is_smaller(plan.window_size, crop):
        return (
            "windows smaller than its training crop are padded to it, and the padding "
            f"is averaged too. Give a `window` of at least {crop[0]} x {crop[1]}"
        )
    return None


def _is_smaller(
    size: tuple[int | None, ...] | None, crop_size: tuple[int, int]
) -> bool:
    sides = zip(size or (None, None), crop_size, strict=True)
    return any(side is not None and side < crop for side, crop in sides)
