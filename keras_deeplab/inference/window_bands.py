"""What a model says of a large picture, window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_deeplab.inference.ask import ask
from keras_deeplab.inference.framing import PhotoFrame, canvas_for
from keras_deeplab.inference.window_axis import WindowAxis

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class WindowGrid:
    """Windows that cover a picture.

    Args:
        rows: Where they lie from top to bottom.
        columns: Where they lie from left to right.
        canvas: Height and width of the model's input for each.
    """

    rows: WindowAxis
    columns: WindowAxis
    canvas: tuple[int, int]

    @classmethod
    def over(
        cls,
        model: Predictor,
        size: tuple[int, int],
        window: tuple[int, int],
        overlap: float,
    ) -> WindowGrid:
        """Covers a picture.

        Args:
            model: The model, for its output stride and its input.
            size: Height and width of the picture.
            window: Height and width of a window.
            overlap: Least share of it that its neighbour covers too.

        Returns:
            The windows.
        """
        rows, columns = (
            WindowAxis.over(side, part, overlap, model.output_stride)
            for side, part in zip(size, window, strict=True)
        )
        part = min(size[0], window[0]), min(size[1], window[1])
        return cls(rows, columns, canvas_for(model, part, model.crop_size))

    @property
    def count(self) -> int:
        """Number of windows."""
        return len(self.rows.starts) * len(self.columns.starts)


def window_bands(
    model: Predictor,
    picture: Array,
    grid: WindowGrid,
    *,
    batch_size: int = 1,
    step: Callable[[int], None],
) -> Iterator[Array]:
    """Shows a model a picture window by window and blends what it says.

    Of the answer no more is held than the rows that one row of windows covers, and
    those that the next one does.

    Args:
        model: The model.
        picture: uint8 RGB, `(H, W, 3)`.
        grid: Windows that cover it.
        batch_size: How many windows the model is shown at once.
        step: Called after each call of the model with the number of windows.

    Yields:
        float32 bands `(some rows, W, classes)`, one below the other.
    """
    tops = (*grid.rows.starts, len(picture))
    band = np.zeros((0, picture.shape[1], model.classes), "float32")
    for index, top in enumerate(tops[:-1]):
        rows = grid.rows.span(index)
        missing = rows.stop - rows.start - len(band)
        band = np.pad(band, ((0, missing), (0, 0), (0, 0)))
        share = grid.rows.weights(index)[:, None, None]
        for columns, answer in _row_of_windows(
            model, picture[rows], grid, batch_size, step
        ):
            band[:, columns] += answer * share
        done = tops[index + 1] - top
        yield band[:done]
        band = band[done:]


def _row_of_windows(
    model: Predictor,
    strip: Array,
    grid: WindowGrid,
    batch_size: int,
    step: Callable[[int], None],
) -> Iterator[tuple[slice, Array]]:
    total = len(grid.columns.starts)
    for first in range(0, total, batch_size):
        batch = range(first, min(first + batch_size, total))
        spans = [grid.columns.span(index) for index in batch]
        parts = [strip[:, span] for span in spans]
        frames = [PhotoFrame(part.shape[:2], grid.canvas) for part in parts]
        answers = ask(model, parts, frames)
        step(len(batch))
        for index, span, answer in zip(batch, spans, answers, strict=True):
            yield span, answer * grid.columns.weights(index)[:, None]
