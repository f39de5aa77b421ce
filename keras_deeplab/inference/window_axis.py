"""Where windows lie along one side of a photo, and how they are blended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class WindowAxis:
    """Windows along one side.

    Args:
        side: Pixels of the side.
        window: Pixels of a window; the last may reach beyond the side.
        starts: First pixel of each window, rising from 0.
    """

    side: int
    window: int
    starts: tuple[int, ...]

    @classmethod
    def over(cls, side: int, window: int, overlap: float, step: int) -> WindowAxis:
        """Spreads as few windows as will do evenly over a side.

        Args:
            side: Pixels of the side.
            window: Pixels of a window, at least `step`.
            overlap: Least share of a window that its neighbour covers too.
            step: Every window starts at a multiple of it. With the output stride its
                features lie where those of the whole photo do.

        Returns:
            The windows.
        """
        last = -(-max(side - window, 0) // step)
        stride = max(1, int(window * (1 - overlap)) // step)
        gaps = -(-last // stride)
        starts = [step * (index * last // gaps) for index in range(1, gaps + 1)]
        return cls(side, window, (0, *starts))

    def span(self, index: int) -> slice:
        """The pixels of a window, without those beyond the side."""
        start = self.starts[index]
        return slice(start, min(start + self.window, self.side))

    def weights(self, index: int) -> Array:
        """What a window counts at each of its pixels, beside the others there.

        Where two windows overlap, the outer quarters of the overlap count for the other
        window alone, since a network knows least at an edge that the photo does not
        have; in between one fades into the other along a cosine.

        Args:
            index: Which window.

        Returns:
            float32, one for each pixel of its span, `[0, 1]`. At each pixel those of
            all windows add up to 1.
        """
        span = self.span(index)
        pixels = np.arange(span.start, span.stop)
        shares = [
            self._share(other, pixels)
            for other, start in enumerate(self.starts)
            if abs(start - span.start) < self.window
        ]
        return (self._share(index, pixels) / sum(shares)).astype("float32")

    def _share(self, index: int, pixels: Array) -> Array:
        start = self.starts[index]
        end = start + self.window
        share = ((pixels >= start) & (pixels < end)).astype("float64")
        if index > 0:
            share *= _fade(pixels - start, self.starts[index - 1] + self.window - start)
        if index + 1 < len(self.starts):
            share *= _fade(end - 1 - pixels, end - self.starts[index + 1])
        return share


def _fade(pixels: Array, overlap: int) -> Array:
    """From 0 at a window's edge, pixel 0, to 1 where its neighbour ends."""
    margin = overlap // 4
    reached = (pixels + 0.5 - margin) / max(overlap - 2 * margin, 1)
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(reached, 0, 1))
