"""A photo, its truth, what a model said and where that is wrong, side by side."""

from typing import Any

import numpy as np
from PIL import Image

from keras_deeplab.data.read_sample import Sample
from keras_deeplab.inference.overlay import blend_labels, drawable_labels

_SIDE = 400
_WRONG, _VOID = (214, 39, 40), (150, 150, 190)


def photo_tiles(
    sample: Sample,
    labels: np.ndarray[Any, Any],
    *,
    ignore_label: int | None,
    background: int | None,
) -> dict[str, Image.Image]:
    """Draws a photo in four ways.

    Args:
        sample: The photo and its true labels.
        labels: What a model said: uint8, `(H, W)`.
        ignore_label: True label of the pixels that do not count.
        background: Label that is left uncoloured, if any.

    Returns:
        RGB pictures by what they show, none larger than 400 pixels. In that of errors
        the photo is faint, wrong pixels are red, and those that do not count violet.
    """
    truth = drawable_labels(sample.labels, ignore_label)
    pictures = {
        "Photo": Image.fromarray(sample.image),
        "Truth": blend_labels(sample.image, truth, background),
        "Prediction": blend_labels(sample.image, labels, background),
        "Errors": _errors(sample, labels, ignore_label),
    }
    for picture in pictures.values():
        picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return pictures


def _errors(
    sample: Sample, labels: np.ndarray[Any, Any], ignore_label: int | None
) -> Image.Image:
    gray = Image.fromarray(sample.image).convert("L").convert("RGB")
    picture = Image.blend(gray, Image.new("RGB", gray.size, "white"), 0.5)
    void = np.zeros(sample.labels.shape, bool)
    if ignore_label is not None:
        void = sample.labels == ignore_label
    wrong = (sample.labels != labels) & ~void
    for chosen, color in ((wrong, _WRONG), (void, _VOID)):
        mask = Image.fromarray(chosen.astype("uint8") * 190)
        picture.paste(color, mask=mask)
    return picture
