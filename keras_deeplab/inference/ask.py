"""Asking a model about pictures that lie in its input."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from keras_deeplab.inference.framing import PhotoFrame, lay_out

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor

Array = np.ndarray[Any, Any]

_TENSORFLOW = logging.getLogger("tensorflow")


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
    with _tracing_untold():
        answer = model.predict_on_batch(model.preprocess(inputs))
    outputs = ops.convert_to_numpy(answer)
    return [
        output[: frame.content[0], : frame.content[1]]
        for output, frame in zip(outputs, frames, strict=True)
    ]


@contextlib.contextmanager
def _tracing_untold() -> Iterator[None]:
    """Keeps TensorFlow from warning of functions that are traced too often.

    Each scale has a network of its own, traced once or twice however many photos it is
    shown. TensorFlow counts the functions of all of them as one.
    """
    _TENSORFLOW.addFilter(_is_of_something_else)
    try:
        yield
    finally:
        _TENSORFLOW.removeFilter(_is_of_something_else)


def _is_of_something_else(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()
