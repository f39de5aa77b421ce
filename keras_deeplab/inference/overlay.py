"""A picture that shows what was found where."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from keras_deeplab.data.labels_png import labels_image
from keras_deeplab.inference.class_share import class_shares, count_labels
from keras_deeplab.inference.legend import add_legend

# Photos with a smaller longer side are enlarged by a whole factor: a legend has to
# be read, and beside it a thumbnail would be lost.
_MIN_SIDE = 256


def draw_overlay(
    photo: np.ndarray[Any, Any],
    labels: np.ndarray[Any, Any],
    class_names: Sequence[str] | None = None,
    *,
    opacity: float = 0.55,
) -> Image.Image:
    """Draws the classes in colour over the photo, with a legend below.

    A class called `"background"` is left uncoloured and everything else gets a light
    outline. The legend tells each class's share of the pixels.

    Args:
        photo: uint8 RGB, `(H, W, 3)`.
        labels: uint8 labels, `(H, W)`.
        class_names: Names by label; labels beyond them are called by number.
        opacity: How much the colours cover the photo, in `[0, 1]`.

    Returns:
        An RGB picture, at least as wide as the photo and higher by the legend. The
        photo keeps its pixels unless it is smaller than 256.

    Raises:
        ValueError: If photo and labels differ in size, or `opacity` is out of range.
    """
    if photo.shape[:2] != labels.shape:
        raise ValueError(
            "`labels` must have the photo's height and width. "
            f"Received: photo {photo.shape[:2]}, labels {labels.shape}"
        )
    if not 0 <= opacity <= 1:
        raise ValueError(f"`opacity` must lie in [0, 1]. Received: opacity={opacity}")
    scale = -(-_MIN_SIDE // max(labels.shape))
    if scale > 1:
        photo, labels = _enlarged(photo, scale), _enlarged(labels, scale)
    background = background_of(class_names)
    picture = blend_labels(photo, labels, background, opacity)
    shares = class_shares(count_labels(labels), class_names)
    return add_legend(picture, shares, uncolored=background)


def blend_labels(
    photo: np.ndarray[Any, Any],
    labels: np.ndarray[Any, Any],
    background: int | None = None,
    opacity: float = 0.55,
) -> Image.Image:
    """Does the part of `draw_overlay` that concerns the photo.

    Args:
        photo: uint8 RGB, `(H, W, 3)`.
        labels: uint8 labels, `(H, W)`.
        background: Label that is left uncoloured, if any.
        opacity: How much the colours cover the photo, in `[0, 1]`.

    Returns:
        An RGB picture of the photo's size.
    """
    picture = Image.fromarray(photo)
    blended = Image.blend(picture, labels_image(labels).convert("RGB"), opacity)
    if background is not None:
        blended.paste(picture, mask=_mask(labels == background))
    blended.paste("white", mask=_outline(labels))
    return blended


def drawable_labels(
    labels: np.ndarray[Any, Any], ignore_label: int | None
) -> np.ndarray[Any, Any]:
    """Turns true labels into what can be drawn, of at most 255 classes.

    Args:
        labels: True labels, integers of any shape.
        ignore_label: Label of the pixels that do not count, which become 255.

    Returns:
        uint8 labels.
    """
    if ignore_label is None:
        return labels.astype("uint8")
    return np.where(labels == ignore_label, 255, labels).astype("uint8")


def _enlarged(pixels: np.ndarray[Any, Any], scale: int) -> np.ndarray[Any, Any]:
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def background_of(class_names: Sequence[str] | None) -> int | None:
    """Returns the label of the class called `"background"`, if there is one."""
    names = list(class_names or ())
    return names.index("background") if "background" in names else None


def _outline(labels: np.ndarray[Any, Any]) -> Image.Image:
    height, width = labels.shape
    # Labels `t` pixels apart differ along a band `t` pixels wide.
    t = max(1, min(max(height, width) // 400, min(height, width) // 4))
    edges = np.zeros(labels.shape, bool)
    across, down = slice(t // 2, t // 2 + width - t), slice(t // 2, t // 2 + height - t)
    edges[:, across] |= labels[:, t:] != labels[:, :-t]
    edges[down] |= labels[t:] != labels[:-t]
    return _mask(edges)


def _mask(chosen: np.ndarray[Any, Any]) -> Image.Image:
    return Image.fromarray(chosen.astype("uint8") * 255)
