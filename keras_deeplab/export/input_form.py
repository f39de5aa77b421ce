"""What an exported graph takes: pixels as the caller has them."""

import dataclasses
from typing import Any

import numpy as np
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers import Preprocess
from keras_deeplab.layers.preprocess import PREPROCESSINGS, Preprocessing


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputForm:
    """The way from a graph's input to that of the network.

    Args:
        preprocessing: What the network expects, a key of `PREPROCESSINGS`.
        dtype: The graph's dtype, `"uint8"` or `"float32"`.
        normalized: Whether the graph takes `(pixels - mean) / std`, still RGB, instead
            of pixels of 0 to 255.
    """

    preprocessing: str
    dtype: str = "uint8"
    normalized: bool = False

    @property
    def row(self) -> Preprocessing:
        """The row of the preprocessing."""
        return PREPROCESSINGS[self.preprocessing]

    @property
    def mean(self) -> tuple[float, float, float]:
        """What the caller subtracts from each channel of the pixels."""
        return self.row.mean if self.normalized else (0.0, 0.0, 0.0)

    @property
    def std(self) -> float:
        """What the caller divides by."""
        return 1 / self.row.scale if self.normalized else 1.0

    def network_input(self, image: Tensor) -> Tensor:
        """What the network takes, of what the graph was given."""
        if not self.normalized:
            return Preprocess(self.preprocessing, dtype="float32")(image)
        return ops.flip(image, axis=-1) if self.row.bgr else image

    def pixels(self, image: Tensor) -> Tensor:
        """RGB pixels of 0 to 255, float32, of what the graph was given."""
        image = ops.cast(image, "float32")
        return image * self.std + self.mean if self.normalized else image

    def from_pixels(self, pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The graph's input, of float32 RGB pixels of 0 to 255."""
        if self.dtype == "uint8":
            return pixels.round().astype("uint8")
        return ((pixels - np.array(self.mean)) / self.std).astype("float32")

    def traced_for_bytes(self) -> "InputForm":
        """The float form to trace where 8-bit pixels are to be an 8-bit network's own.

        Where one mean holds for all channels, a scale and a zero point say the same as
        the preprocessing, which then costs nothing.
        """
        return InputForm(
            preprocessing=self.preprocessing,
            dtype="float32",
            normalized=self.normalized or self.row.one_mean,
        )
