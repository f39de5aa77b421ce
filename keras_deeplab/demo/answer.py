"""What a page is told about a photo."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from keras_deeplab.data.labels_png import labels_image
from keras_deeplab.inference.class_share import class_shares, count_labels
from keras_deeplab.inference.overlay import background_of, blend_labels


@dataclass(frozen=True)
class Answer:
    """The label map of a photo, and how long it took.

    Args:
        photo: uint8 RGB, `(H, W, 3)`.
        labels: uint8, `(H, W)`.
        class_names: Names by label, or `None`.
        sent_size: Height and width of the photo as it was sent.
        network_seconds: Time that the network took, also where it ran earlier.
        network_ran: Whether it ran for this answer.
        first_of_size: Whether it may have been compiled for the photo's size meanwhile.
        crf_seconds: Time that the CRF took, or `None` without one.
    """

    photo: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    class_names: Sequence[str] | None
    sent_size: tuple[int, int]
    network_seconds: float
    network_ran: bool
    first_of_size: bool
    crf_seconds: float | None

    def as_data(self) -> dict[str, Any]:
        """The answer as JSON has it; pictures are `data:` URLs of their files.

        `overlay` covers the photo, and is the photo itself in the background.
        """
        background = background_of(self.class_names)
        overlay = blend_labels(self.photo, self.labels, background, 1.0)
        height, width = self.labels.shape
        return {
            "width": width,
            "height": height,
            "sent_width": self.sent_size[1],
            "sent_height": self.sent_size[0],
            "classes": [
                {
                    "name": share.name,
                    "color": None if share.label == background else share.color,
                    "share": share.share,
                    "percent": share.percent,
                }
                for share in class_shares(count_labels(self.labels), self.class_names)
            ],
            "photo": _url(Image.fromarray(self.photo), "JPEG", quality=92),
            "overlay": _url(overlay, "PNG", compress_level=1),
            "labels": _url(labels_image(self.labels), "PNG"),
            "network_ms": 1000 * self.network_seconds,
            "network_ran": self.network_ran,
            "first_of_size": self.first_of_size,
            "crf_ms": None if self.crf_seconds is None else 1000 * self.crf_seconds,
        }


def _url(image: Image.Image, kind: str, **options: Any) -> str:
    file = io.BytesIO()
    image.save(file, kind, **options)
    content = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{content}"
