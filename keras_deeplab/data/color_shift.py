"""A change of brightness, contrast, saturation and hue."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

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

    def apply(self, image: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Changes the colours of a photo.

        Args:
            image: RGB of 0 to 255, `(H, W, 3)`.

        Returns:
            float32 of the same shape, 0 to 255.
        """
        pixels = image.astype("float32")
        luma = float(pixels.mean((0, 1)) @ _YIQ[0])
        shifted = pixels @ self._matrix.T.astype("float32")
        shifted += (1 - self.contrast) * self.brightness * luma
        return np.clip(shifted, 0, 255, out=shifted)

    @property
    def _matrix(self) -> np.ndarray[Any, Any]:
        turn = 2 * math.pi * self.hue
        chroma = np.eye(3)
        chroma[1:, 1:] = self.saturation * np.array(
            [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
        )
        return self.brightness * self.contrast * np.linalg.inv(_YIQ) @ chroma @ _YIQ
