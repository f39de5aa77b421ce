"""The part of a sample that a crop shows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from keras_deeplab.data.color_shift import ColorShift
from keras_deeplab.data.decoded_pair import DecodedPair
from keras_deeplab.data.read_sample import Sample


@dataclass(frozen=True)
class View:
    """The part of a sample that a crop shows, and how.

    The sample is scaled, and a window is cut from it. A window that is larger than
    the scaled sample is padded at the bottom and the right.

    Args:
        scaled: Height and width to which the whole sample is scaled.
        corner: Row and column of the window's top left pixel in it.
        crop: Height and width of the window.
        flip: Whether left and right change places afterwards.
        color_shift: Change of the photo's colours, not of the padding's.
    """

    scaled: tuple[int, int]
    corner: tuple[int, int]
    crop: tuple[int, int]
    flip: bool = False
    color_shift: ColorShift | None = None

    def of(
        self, pair: DecodedPair, pad_pixel: tuple[float, float, float], pad_label: int
    ) -> Sample:
        """Cuts the window.

        The photo is resampled bilinearly, averaging where it shrinks; of the mask the
        nearest pixel is taken, so that no label appears that was not there.

        Args:
            pair: A photo and its labels.
            pad_pixel: RGB in 0..255 of the padding, rounded.
            pad_label: Label of the padding.

        Returns:
            The photo, uint8 RGB `(*crop, 3)`, and its labels, of their type, `crop`.
        """
        height, width = self._content
        # A flip takes the padding to the left.
        left = self.crop[1] - width if self.flip else 0
        image = np.empty((*self.crop, 3), "uint8")
        labels = np.empty(self.crop, pair.labels.dtype)
        for canvas, content, padding in (
            (image, self._photo(pair.photo), np.round(pad_pixel)),
            (labels, self._mask(pair.labels), pad_label),
        ):
            canvas[height:] = padding
            canvas[:height, :left] = padding
            canvas[:height, left + width :] = padding
            canvas[:height, left : left + width] = content
        return Sample(image, labels)

    @property
    def _content(self) -> tuple[int, int]:
        """Height and width of the window that are not padding."""
        return (
            min(self.crop[0], self.scaled[0] - self.corner[0]),
            min(self.crop[1], self.scaled[1] - self.corner[1]),
        )

    def _photo(self, photo: Image.Image) -> np.ndarray[Any, Any]:
        box = self._box(*photo.size)
        if photo.size == self.scaled[::-1]:
            window = photo.crop(box)
        else:
            # Only the window is resampled, as it would be in the whole scaled photo.
            size = self._content[::-1]
            window = photo.resize(size, Image.Resampling.BILINEAR, box)
        if self.color_shift:
            window = self.color_shift.apply(window)
        if self.flip:
            window = window.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return np.asarray(window)

    def _box(self, columns: int, rows: int) -> tuple[float, float, float, float]:
        """The window's edges in the photo: left, top, right, bottom."""
        (top, left), (height, width) = self.corner, self._content
        # Multiplied first, so that the last edge is not moved by rounding.
        return (
            left * columns / self.scaled[1],
            top * rows / self.scaled[0],
            (left + width) * columns / self.scaled[1],
            (top + height) * rows / self.scaled[0],
        )

    def _mask(self, mask: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        rows, columns = (
            # The pixel under the centre of each scaled one.
            ((2 * np.arange(start, start + length) + 1) * side) // (2 * scaled)
            for start, length, side, scaled in zip(
                self.corner, self._content, mask.shape, self.scaled, strict=True
            )
        )
        return mask[rows][:, columns[::-1] if self.flip else columns]
