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

    def weights(self) -> Array:
        """What each window counts at each pixel.

        Where two windows overlap, the outer quarters of the overlap count for the other
        window alone, since a network knows least at an edge that the photo does not
        have; in between one fades into the other along a cosine.

        Returns:
            float32, `(windows, side)`, `[0, 1]`; each pixel's add up to 1, and are 1
            and 0 where one window counts alone.
        """
        shares = np.zeros((len(self.starts), self.side))
        for index, start in enumerate(self.starts):
            span = self.span(index)
            pixel = np.arange(span.start, span.stop)
            rise, fall = np.ones(len(pixel)), np.ones(len(pixel))
            if index > 0:
                end = self.starts[index - 1] + self.window
                rise = _fade(pixel - start, end - start)
            if index + 1 < len(self.starts):
                following = self.starts[index + 1]
                end = start + self.window
                fall = _fade(end - 1 - pixel, end - following)
            shares[index, span] = rise * fall
        return (shares / shares.sum(axis=0)).astype("float32")


def _fade(pixel: Array, overlap: int) -> Array:
    """From 0 at a window's edge, pixel 0, to 1 where its neighbour ends."""
    margin = overlap // 4
    reached = (pixel + 0.5 - margin) / max(overlap - 2 * margin, 1)
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(reached, 0, 1))
