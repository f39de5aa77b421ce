"""A change of brightness, contrast, saturation and hue."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageStat

# From RGB to luma and two chroma axes of YIQ (FCC 1953), rows summing to 1, 0 and 0:
# grey has no chroma.
_YIQ = np.array(
    [
        [0.299, 0.587, 0.114],
        [0.5959, -0.2746, -0.3213],
        [0.2115, -0.5227, 0.3112],
    ]
)


@dataclass(frozen=True)
class ColorShift:
    """A change of brightness, contrast, saturation and hue, in this order.

    All four are linear in the colours, so that together they are one matrix.

    Args:
        brightness: Factor of all colours.
        contrast: Factor of the distance from the photo's mean luma.
        saturation: Factor of the chroma.
        hue: Turn of the chroma, as a fraction of the circle.
    """

    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0

    def apply(self, image: Image.Image) -> Image.Image:
        """Changes the colours of a photo.

        Args:
            image: RGB.

        Returns:
            RGB of the same size; what leaves 0 to 255 is cut off.
        """
        # Pillow, because NumPy's products would start threads of their own.
        (luma,) = ImageStat.Stat(image.convert("L")).mean
        offset = (1 - self.contrast) * self.brightness * luma
        rows = np.column_stack([self._matrix, np.full(3, offset)])
        return image.convert("RGB", tuple(rows.ravel().tolist()))

    @property
    def _matrix(self) -> np.ndarray[Any, Any]:
        turn = 2 * math.pi * self.hue
        chroma = np.eye(3)
        chroma[1:, 1:] = self.saturation * np.array(
            [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
        )
        return self.brightness * self.contrast * np.linalg.inv(_YIQ) @ chroma @ _YIQ
