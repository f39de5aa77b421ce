"""What a model says of a photo, without and with a CRF, from one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from keras import ops

from keras_deeplab.inference.refine_photo import refine_photo
from keras_deeplab.inference.segment import predict_logits, segment
from keras_deeplab.layers import DenseCRF

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor

Array = np.ndarray[Any, Any]


class PhotoAnswer(NamedTuple):
    """What is said of the pixels of a photo.

    Attributes:
        labels: uint8, `(H, W)`.
        probabilities: float32, `(H, W, classes)`, if they were asked for.
    """

    labels: Array
    probabilities: Array | None = None


def photo_answers(
    model: Predictor,
    photo: Array,
    *,
    size: int | None = None,
    crf: DenseCRF | None = None,
    probabilities: bool = False,
) -> tuple[PhotoAnswer, ...]:
    """Asks a model once, for all that is to be scored.

    Args:
        model: The model.
        photo: uint8 RGB, `(H, W, 3)`.
        size: Largest longer side at which the model sees the photo, as in `segment`.
        crf: A CRF that refines what the model says.
        probabilities: Whether to keep the probabilities: 4 bytes a pixel and class.

    Returns:
        The model's answer, and after it that of the CRF, if there is one.
    """
    if crf is None and not probabilities:
        return (PhotoAnswer(segment(model, photo, size=size)),)
    scores = predict_logits(model, photo, size=size)
    plain = _answer(scores, _probabilities(model, scores) if probabilities else None)
    if crf is None:
        return (plain,)
    refined = refine_photo(model, scores, photo, crf)
    return plain, _answer(refined, refined if probabilities else None)


def _answer(scores: Array, probabilities: Array | None) -> PhotoAnswer:
    return PhotoAnswer(scores.argmax(axis=-1).astype("uint8"), probabilities)


def _probabilities(model: Predictor, scores: Array) -> Array:
    if model.output_kind == "probabilities":
        return scores
    return np.asarray(ops.convert_to_numpy(ops.softmax(scores)))
