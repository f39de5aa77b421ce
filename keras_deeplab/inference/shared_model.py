"""The model as a plan or a scale needs it, of the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_deeplab.inference.framing import scaled_crop
from keras_deeplab.layers import ImagePooling
from keras_deeplab.models import Segmenter

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor


def at_output_stride(model: Predictor, output_stride: int | None) -> Predictor:
    """Returns the model at an output stride, without copying its weights.

    Args:
        model: The model.
        output_stride: 8, 16 or 32, or `None` for its own.

    Returns:
        The model, or one that shares its weights.

    Raises:
        ValueError: If the model is an export, which has one output stride.
    """
    if output_stride is None:
        return model
    if not isinstance(model, Segmenter):
        raise ValueError(
            "`plan.output_stride` needs a Keras model: an export works at the output "
            "stride with which it was made. "
            f"Received: plan.output_stride={output_stride}"
        )
    return model.sharing_weights(output_stride=output_stride)


def at_scale(model: Predictor, scale: float, canvas: tuple[int, int]) -> Predictor:
    """Returns the model with the window of image pooling that a scale calls for.

    As in the official evaluation, the scene that is averaged keeps its extent in the
    photo: the window grows and shrinks with the photo.

    Args:
        model: The model.
        scale: Factor of the size at which it sees the photo.
        canvas: Height and width of its input.

    Returns:
        The model, or one that shares its weights.
    """
    own = model.crop_size
    if not isinstance(model, Segmenter) or own is None or not _pools(model):
        return model
    crop = scaled_crop(own, scale)
    # Where the window covers the whole map, it is the map's own size anyway.
    sides = zip(own, crop, canvas, strict=True)
    if all(min(before, side) == min(after, side) for before, after, side in sides):
        return model
    return model.sharing_weights(crop_size=crop)


def pools_by_crop(model: Predictor) -> bool:
    """Whether a model averages the scene over a window of its training crop."""
    return _pools(model) and model.crop_size is not None


def pools_globally(model: Predictor) -> bool:
    """Whether a model averages the scene over all it sees, of any size."""
    return _pools(model) and model.crop_size is None and None in model.input_shape[1:3]


def _pools(model: Predictor) -> bool:
    if not isinstance(model, Segmenter):
        return False
    layers = model._flatten_layers(include_self=False)
    return any(isinstance(layer, ImagePooling) for layer in layers)
