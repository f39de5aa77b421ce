"""Asking a model about pictures that lie in its input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from keras_deeplab.inference.framing import PhotoFrame, lay_out

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor

Array = np.ndarray[Any, Any]


def ask(
    model: Predictor, photos: Sequence[Array], frames: Sequence[PhotoFrame]
) -> list[Array]:
    """Shows a model some photos at once.

    Args:
        model: The model.
        photos: uint8 RGB, each `(H, W, 3)`.
        frames: How each is laid into the input; their canvases are of one size.

    Returns:
        For each what the model says, float32 `(*frame.content, classes)`.
    """
    canvases = [
        lay_out(photo, frame, model.pad_pixel)
        for photo, frame in zip(photos, frames, strict=True)
    ]
    inputs = canvases[0] if len(canvases) == 1 else np.concatenate(canvases)
    outputs = ops.convert_to_numpy(model.predict_on_batch(model.preprocess(inputs)))
    return [
        output[: frame.content[0], : frame.content[1]]
        for output, frame in zip(outputs, frames, strict=True)
    ]
