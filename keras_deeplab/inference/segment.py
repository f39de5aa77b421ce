"""From a photo to its label map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_deeplab._types import Progress
from keras_deeplab.data.photo import Photo, read_photo
from keras_deeplab.inference.crf_source import CRFSource
from keras_deeplab.inference.inference_plan import InferencePlan
from keras_deeplab.inference.photo_scores import photo_scores
from keras_deeplab.inference.refine_photo import check_scores
from keras_deeplab.inference.score_kinds import TO_LOGITS

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor


def segment(
    model: Predictor,
    image: Photo,
    *,
    size: int | None = None,
    crf: CRFSource | None = None,
    plan: InferencePlan | None = None,
    progress: Progress | None = None,
) -> np.ndarray[Any, Any]:
    """Segments one photo.

    The photo is laid into the model's input as the model declares (see
    `frame_for`), and the logits are brought back to the photo's size before the
    class is chosen. That happens in strips, so a photo of a hundred megapixels needs
    little more memory than its label map, with windows too; not so with a CRF, which
    holds the logits of all pixels, `4 * classes` bytes each, and some copies.

    Args:
        model: A model of this package, with its preprocessing attached.
        image: A path, a PIL image or an array, as `read_photo` takes it.
        size: Largest longer side at which the model sees the photo. By default the
            longer side of its training crop.
        crf: A CRF that refines the logits along the photo's edges, at the photo's own
            size: `"v1"`, `"v2"`, `"pydensecrf"`, a JSON file that `search_crf` led to,
            or a `DenseCRF` layer.
        plan: Scales, mirror images, windows and output stride; by default the whole
            photo once.
        progress: Called after each call of the model with `"this photo"`, the number of
            views or windows of the photo that it has been shown, and their total.

    Returns:
        uint8 labels in `0 .. classes - 1`, `(H, W)`: the size of the upright photo.

    Raises:
        ValueError: If the image, `size`, `crf` or `plan` is not usable, or the model
            has more classes than 8 bits hold.
        OSError: If the file cannot be opened.

    Examples:
        >>> model = keras_deeplab.load_model("model.keras")  # doctest: +SKIP
        >>> keras_deeplab.segment(model, "photo.jpg").shape  # doctest: +SKIP
        (375, 500)
    """
    check_classes(model)
    photo = read_photo(image)
    scores = photo_scores(model, photo, size=size, plan=plan, progress=progress)
    if crf is not None:
        scores = scores.refined(model, photo, crf)
    return np.concatenate([labels_of(strip) for strip in scores.strips])


def predict_logits(
    model: Predictor,
    image: Photo,
    *,
    size: int | None = None,
    plan: InferencePlan | None = None,
) -> np.ndarray[Any, Any]:
    """Returns what the model says about every pixel of a photo.

    Args:
        model: A model of this package.
        image: A path, a PIL image or an array.
        size: Largest longer side at which the model sees the photo.
        plan: Scales, mirror images, windows and output stride; by default the whole
            photo once.

    Returns:
        float32 `(H, W, classes)`: logits, or probabilities if the model ends in an
        activation. Of several views the logarithms of the averaged probabilities are
        the logits. Holds `4 * classes` bytes a pixel; `segment` does not.

    Raises:
        ValueError: If the image, `size` or `plan` is not usable.
        OSError: If the file cannot be opened.
    """
    scores = photo_scores(model, read_photo(image), size=size, plan=plan)
    if model.output_kind == "logits":
        return np.concatenate(
            [TO_LOGITS[scores.kind](strip) for strip in scores.strips]
        )
    return np.concatenate(list(scores.strips))


def predict_probabilities(
    model: Predictor,
    image: Photo,
    *,
    size: int | None = None,
    crf: CRFSource | None = None,
    plan: InferencePlan | None = None,
) -> np.ndarray[Any, Any]:
    """Returns how sure the model is of every class at every pixel of a photo.

    Args:
        model: A model of this package.
        image: A path, a PIL image or an array.
        size: Largest longer side at which the model sees the photo.
        crf: A CRF that refines the probabilities, as in `segment`.
        plan: Scales, mirror images, windows and output stride; by default the whole
            photo once.

    Returns:
        float32 `(H, W, classes)`, `[0, 1]`, with a sum of 1 over the classes.

    Raises:
        ValueError: If the image, `size`, `crf` or `plan` is not usable, or the model
            tells labels alone.
        OSError: If the file cannot be opened.
    """
    check_scores(model, "predict_probabilities")
    photo = read_photo(image)
    scores = photo_scores(model, photo, size=size, plan=plan)
    if crf is not None:
        scores = scores.refined(model, photo, crf)
    return np.concatenate([scores.probabilities(strip) for strip in scores.strips])


def labels_of(strip: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The labels of scores, uint8."""
    return strip.argmax(axis=-1).astype("uint8")


def check_classes(model: Predictor) -> None:
    """Raises `ValueError` if a model has more classes than 8-bit labels tell apart."""
    if model.classes > 256:
        raise ValueError(
            "`model` must have at most 256 classes for an 8-bit label map; take the "
            f"argmax of `predict_logits`. Received: model.classes={model.classes}"
        )
