"""What may be done at random to a photo and its mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_deeplab.data.color_shift import ColorShift
from keras_deeplab.layers import arguments


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes of a training sample.

    The defaults are those of the official training: DeepLabv3, section 4.1
    (https://arxiv.org/abs/1706.05587), in the steps of its code. Colours are left
    alone unless asked for.

    Args:
        scale: Least and greatest factor of size.
        scale_step: Distance between the factors that are drawn, counted from the
            least; 0 draws any factor in between.
        flip: Probability of a left-right flip.
        brightness: Colours are multiplied by up to `1 ± brightness`.
        contrast: Distance from the photo's mean grey is multiplied by up to
            `1 ± contrast`.
        saturation: Distance from grey is multiplied by up to `1 ± saturation`.
        hue: Colours are turned by up to `± hue` of the colour circle, at most 0.5.

    Raises:
        ValueError: If an argument is out of range.
    """

    scale: tuple[float, float] = (0.5, 2.0)
    scale_step: float = 0.25
    flip: float = 0.5
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    def __post_init__(self) -> None:
        scale = arguments.numbers_of(scale=self.scale)
        if len(scale) != 2 or not 0 < scale[0] <= scale[1]:
            raise ValueError(
                "`scale` must be a least and a greatest factor above 0. "
                f"Received: scale={self.scale}"
            )
        arguments.not_negative(scale_step=self.scale_step)
        for name in ("flip", "brightness", "contrast", "saturation", "hue"):
            greatest = 0.5 if name == "hue" else 1.0
            arguments.within(0, greatest, **{name: getattr(self, name)})

    def draw_scale(self, rng: np.random.Generator) -> float:
        """Draws a factor of size.

        Args:
            rng: Source of randomness.

        Returns:
            The factor.
        """
        least, greatest = self.scale
        if not self.scale_step:
            return float(rng.uniform(least, greatest))
        # A hair more, because 1.5 / 0.1 is 14.999...
        steps = int((greatest - least) / self.scale_step + 1e-6)
        return float(least + self.scale_step * rng.integers(steps + 1))

    def draw_flip(self, rng: np.random.Generator) -> bool:
        """Draws whether to flip.

        Args:
            rng: Source of randomness.

        Returns:
            Whether left and right change places.
        """
        return bool(rng.random() < self.flip)

    def draw_color_shift(self, rng: np.random.Generator) -> ColorShift | None:
        """Draws a change of colours.

        Args:
            rng: Source of randomness.

        Returns:
            The change, or `None` if colours are left alone.
        """
        widths = self.brightness, self.contrast, self.saturation, self.hue
        if not any(widths):
            return None
        brightness, contrast, saturation, hue = rng.uniform(-1, 1, 4) * widths
        return ColorShift(1 + brightness, 1 + contrast, 1 + saturation, hue)
