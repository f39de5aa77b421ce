"""An axis of a plot."""

_GRIDLINES = 4


class Axis:
    """From values to pixels.

    Args:
        least: The least value; where it is also the most, it stands in the middle.
        most: The most.
        start: Pixel of the least.
        end: Pixel of the most.
    """

    def __init__(self, least: float, most: float, start: float, end: float) -> None:
        half = 0.0 if most > least else abs(least) / 2 or 0.5
        self.least, self.most = least - half, most + half
        self.start, self.end = start, end

    def place(self, value: float) -> float:
        """Returns the pixel of a value."""
        share = (value - self.least) / (self.most - self.least)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Returns values for lines of a grid, from the least to the most."""
        step = (self.most - self.least) / _GRIDLINES
        return [self.least + index * step for index in range(_GRIDLINES + 1)]
