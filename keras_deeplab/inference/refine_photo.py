"""The CRF on what a model says of a photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.inference.score_kinds import TO_LOGITS
from keras_deeplab.layers import DenseCRF

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor

Array = np.ndarray[Any, Any]


def check_scores(model: Predictor, name: str = "crf") -> None:
    """Raises `ValueError` if a model tells nothing but labels.

    Args:
        model: The model.
        name: The argument that needs more.
    """
    if model.output_kind not in TO_LOGITS:
        raise ValueError(
            f"`{name}` needs logits or probabilities, and this model answers with "
            "labels: leave it out, or take a model exported with other outputs. "
            f"Received: model.output_kind={model.output_kind!r}"
        )


def refine_photo(model: Predictor, scores: Array, photo: Array, crf: DenseCRF) -> Array:
    """Refines what a model says of a photo, at the photo's own size.

    The layer runs operation by operation: photos of many sizes leave nothing traced
    behind.

    Args:
        model: The model, which says what its scores are.
        scores: float32, `(H, W, classes)`.
        photo: uint8 RGB, `(H, W, 3)`.
        crf: The CRF.

    Returns:
        float32 probabilities, `(H, W, classes)`.

    Raises:
        ValueError: If the model answers with labels.
    """
    check_scores(model)
    return refined_probabilities(TO_LOGITS[model.output_kind](scores), photo, crf)


def refined_probabilities(logits: Array, photo: Array, crf: DenseCRF) -> Array:
    """Does what `refine_photo` does, with logits."""
    refined = refine_logits(crf, logits[None], photo[None])
    return np.asarray(ops.convert_to_numpy(refined))[0]


def refine_logits(crf: DenseCRF, logits: Tensor, pixels: Tensor) -> Tensor:
    """Calls a CRF with what it takes, logits or probabilities.

    Args:
        crf: The CRF.
        logits: `(batch, height, width, classes)`.
        pixels: RGB of 0 to 255, `(batch, height, width, 3)`.

    Returns:
        Probabilities, the shape of `logits`.
    """
    return crf(logits if crf.from_logits else ops.softmax(logits), pixels)
