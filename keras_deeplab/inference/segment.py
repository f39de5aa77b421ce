"""From a photo to its label map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from keras_deeplab.data.photo import Photo, read_photo
from keras_deeplab.inference.crf_source import CRFSource, load_crf
from keras_deeplab.inference.framing import frame_for, lay_out
from keras_deeplab.inference.inference_plan import InferencePlan
from keras_deeplab.inference.refine_photo import check_scores, refine_photo
from keras_deeplab.inference.strips import resized_strips

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor


def segment(
    model: Predictor,
    image: Photo,
    *,
    size: int | None = None,
    crf: CRFSource | None = None,
    plan: InferencePlan | None = None,
) -> np.ndarray[Any, Any]:
    """Segments one photo.

    The photo is laid into the model's input as the model declares (see
    `frame_for`), and the logits are brought back to the photo's size before the
    class is chosen. That happens in strips, so a photo of a hundred megapixels needs
    little more memory than its label map; not so with a CRF, which holds the logits of
    all pixels, `4 * classes` bytes each, and some copies.

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

    Returns:
        uint8 labels in `0 .. classes - 1`, `(H, W)`: the size of the upright photo.

    Raises:
        ValueError: If the image, `size` or `crf` is not usable, or the model has more
            classes than 8 bits hold.
        OSError: If the file cannot be opened.

    Examples:
        >>> model = keras_deeplab.load_model("model.keras")  # doctest: +SKIP
        >>> keras_deeplab.segment(model, "photo.jpg").shape  # doctest: +SKIP
        (375, 500)
    """
    if model.classes > 256:
        raise ValueError(
            "`model` must have at most 256 classes for an 8-bit label map; take the "
            f"argmax of `predict_logits`. Received: model.classes={model.classes}"
        )
    photo = read_photo(image)
    if crf is None:
        parts = _logit_strips(model, photo, size)
    else:
        parts = iter([_refined(model, photo, size, crf)])
    return np.concatenate([part.argmax(axis=-1).astype("uint8") for part in parts])


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

    Returns:
        float32 `(H, W, classes)`: logits, or probabilities if the model ends in an
        activation. Holds `4 * classes` bytes a pixel; `segment` does not.

    Raises:
        ValueError: If the image or `size` is not usable.
        OSError: If the file cannot be opened.
    """
    return np.concatenate(list(_logit_strips(model, read_photo(image), size)))


def _refined(
    model: Predictor, photo: np.ndarray[Any, Any], size: int | None, crf: CRFSource
) -> np.ndarray[Any, Any]:
    layer = load_crf(crf)
    check_scores(model)
    return refine_photo(model, predict_logits(model, photo, size=size), photo, layer)


def _logit_strips(
    model: Predictor, photo: np.ndarray[Any, Any], size: int | None
) -> Iterator[np.ndarray[Any, Any]]:
    photo_size = photo.shape[0], photo.shape[1]
    frame = frame_for(model, photo_size, size)
    inputs = model.preprocess(lay_out(photo, frame, model.pad_pixel))
    outputs = ops.convert_to_numpy(model.predict_on_batch(inputs))
    height, width = frame.content
    return resized_strips(outputs[0, :height, :width], photo_size)
