"""How a photo of any size is laid into the input of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor


@dataclass(frozen=True)
class PhotoFrame:
    """Where a photo lies in a model's input.

    Args:
        content: Height and width to which the photo is brought.
        canvas: Height and width of the model's input. The photo lies in its top left
            corner and the rest is padding.
        antialias: Whether shrinking averages over all pixels, or only samples.
    """

    content: tuple[int, int]
    canvas: tuple[int, int]
    antialias: bool = True


def check_size(model: Predictor, size: int | None) -> None:
    """Checks a limit of the size at which a model sees photos.

    Args:
        model: The model.
        size: The limit of the longer side, or `None`.

    Raises:
        ValueError: If `size` is below 1, or is given for a model that stretches.
    """
    if size is not None and size < 1:
        raise ValueError(f"`size` must be at least 1. Received: size={size}")
    if size is not None and _stretches(model):
        height, width = model.input_shape[1:3]
        raise ValueError(
            "`size` has no effect on this model, which stretches every photo to "
            f"{height} x {width} pixels. Leave it out. Received: size={size}"
        )


def frame_for(
    model: Predictor,
    photo_size: tuple[int, int],
    size: int | None = None,
    scale: float = 1.0,
) -> PhotoFrame:
    """Decides how a photo is laid into the input of a model.

    A model with a fixed input and `resize_mode` `"stretch"` gets the photo stretched
    to that input. Every other model gets it in its own proportions: scaled down if
    its longer side exceeds `size` or it does not fit a fixed input, never scaled up,
    and padded: to the training crop, or, where it exceeds that, to the next side
    `output_stride * k + 1`, where the pixels of every feature level line up.

    Args:
        model: The model.
        photo_size: Height and width of the photo.
        size: Largest longer side at which the model sees the photo. By default the
            longer side of the training crop; without a crop there is no limit.
        scale: Factor of all that: of what the photo would have been brought to, and
            of the training crop. Only for models without a fixed input.

    Returns:
        The frame.

    Raises:
        ValueError: If `size` is below 1, or is given for a model that stretches.
    """
    check_size(model, size)
    height, width = model.input_shape[1:3]
    if _stretches(model) and height is not None and width is not None:
        canvas = height, width
        return PhotoFrame(content=canvas, canvas=canvas, antialias=False)
    content = _scaled_down(photo_size, _limits(model, size, (height, width)))
    content = scaled_size(content, scale)
    crop = scaled_crop(model.crop_size or (1, 1), scale)
    return PhotoFrame(content=content, canvas=canvas_for(model, content, crop))


def limited_size(photo_size: tuple[int, int], size: int | None) -> tuple[int, int]:
    """A photo's height and width, brought down to a longer side of at most `size`."""
    limit = float("inf") if size is None else size
    return _scaled_down(photo_size, (limit, limit))


def scaled_size(photo_size: tuple[int, int], scale: float) -> tuple[int, int]:
    """A photo's height and width, each times a factor."""
    height, width = photo_size
    return max(1, round(height * scale)), max(1, round(width * scale))


def scaled_crop(crop_size: tuple[int, int], scale: float) -> tuple[int, int]:
    """A crop as the official code scales it: from corner to corner."""
    height, width = crop_size
    return int((height - 1) * scale + 1), int((width - 1) * scale + 1)


def canvas_for(
    model: Predictor, content: tuple[int, int], crop_size: tuple[int, int] | None
) -> tuple[int, int]:
    """The input in which a picture lies: fixed, the crop, or larger and aligned.

    Args:
        model: The model.
        content: Height and width of the picture.
        crop_size: Least height and width.

    Returns:
        Height and width.
    """
    height, width = model.input_shape[1:3]
    crop = crop_size or (1, 1)
    return (
        height or _canvas_side(content[0], crop[0], model.output_stride),
        width or _canvas_side(content[1], crop[1], model.output_stride),
    )


def lay_out(
    photo: np.ndarray[Any, Any],
    frame: PhotoFrame,
    pad_pixel: tuple[float, float, float],
) -> np.ndarray[Any, Any]:
    """Lays a photo into the model's input.

    Args:
        photo: uint8 RGB, `(H, W, 3)`.
        frame: Where it goes.
        pad_pixel: RGB in 0..255 of the padding.

    Returns:
        float32 RGB in 0..255, `(1, *frame.canvas, 3)`.
    """
    canvas = np.empty((1, *frame.canvas, 3), "float32")
    canvas[:] = pad_pixel
    height, width = frame.content
    canvas[0, :height, :width] = resized_photo(photo, frame.content, frame.antialias)
    return canvas


def resized_photo(
    photo: np.ndarray[Any, Any], size: tuple[int, int], antialias: bool = True
) -> np.ndarray[Any, Any]:
    """Resizes a photo.

    Args:
        photo: uint8 RGB, `(H, W, 3)`.
        size: Height and width of the result.
        antialias: Whether shrinking averages over all pixels, or only samples.

    Returns:
        uint8 RGB, `(*size, 3)`.
    """
    if photo.shape[:2] == size:
        return photo
    height, width = size
    image = Image.fromarray(photo)
    if antialias:
        # Enlarged as in training: the other filter would draw bright lines at edges.
        enlarged = height > image.height or width > image.width
        filters = Image.Resampling
        return np.asarray(
            image.resize(
                (width, height), filters.BILINEAR if enlarged else filters.LANCZOS
            )
        )
    # Pillow's resize always averages when it shrinks; its transform samples at
    # half-pixel centres, as the mobile code that feeds the official files does.
    small = image.transform(
        (width, height),
        Image.Transform.EXTENT,
        (0, 0, *image.size),
        Image.Resampling.BILINEAR,
    )
    return np.asarray(small)


def _stretches(model: Predictor) -> bool:
    return model.resize_mode == "stretch" and None not in model.input_shape[1:3]


def _limits(
    model: Predictor, size: int | None, fixed: tuple[int | None, int | None]
) -> tuple[float, float]:
    if size is None:
        size = max(model.crop_size) if model.crop_size else None
    limit = float("inf") if size is None else size
    return min(fixed[0] or limit, limit), min(fixed[1] or limit, limit)


def _scaled_down(
    photo_size: tuple[int, int], limits: tuple[float, float]
) -> tuple[int, int]:
    height, width = photo_size
    return scaled_size(photo_size, min(1.0, limits[0] / height, limits[1] / width))


def _canvas_side(content: int, crop: int, output_stride: int) -> int:
    # A crop that does not line up is still what the model was trained on.
    if content <= crop:
        return crop
    return -(-(content - 1) // output_stride) * output_stride + 1
