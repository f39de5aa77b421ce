"""The curves of a training as a picture."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from keras_deeplab.inference.axis import Axis

_SIZE = (900, 360)
_MARGIN = (70, 40, 30, 40)
_PAPER, _INK, _GRID, _LINE = "white", (40, 40, 40), (222, 222, 222), (31, 119, 180)

Row = Mapping[str, Any]


def draw_curves(rows: Sequence[Row], columns: Sequence[str]) -> Image.Image:
    """Draws columns of a training's history over its epochs, one below the other.

    Args:
        rows: Rows with an `epoch`, and numbers or `None` in the columns.
        columns: The columns to draw.

    Returns:
        An RGB picture.
    """
    width, height = _SIZE
    page = Image.new("RGB", (width, height * len(columns)), _PAPER)
    for index, column in enumerate(columns):
        points = [(row["epoch"], row[column]) for row in rows if _known(row, column)]
        page.paste(_panel(column, points), (0, index * height))
    return page


def _known(row: Row, column: str) -> bool:
    value = row.get(column)
    return value is not None and math.isfinite(value)


def _panel(title: str, points: Sequence[tuple[float, float]]) -> Image.Image:
    panel = Image.new("RGB", _SIZE, _PAPER)
    draw = ImageDraw.Draw(panel)
    font: Any = ImageFont.load_default(16)
    draw.text((_MARGIN[0], 10), title, _INK, font)
    if not points:
        return panel
    epochs, values = zip(*points, strict=True)
    across = Axis(min(epochs), max(epochs), _MARGIN[0], _SIZE[0] - _MARGIN[2])
    down = Axis(min(values), max(values), _SIZE[1] - _MARGIN[3], _MARGIN[1])
    for value in down.ticks():
        y = down.place(value)
        draw.line((_MARGIN[0], y, _SIZE[0] - _MARGIN[2], y), _GRID)
        draw.text((_MARGIN[0] - 8, y), f"{value:.4g}", _INK, font, anchor="rm")
    for value in {min(epochs), max(epochs)}:
        at = (across.place(value), _SIZE[1] - _MARGIN[3] + 8)
        draw.text(at, f"{value:g}", _INK, font, anchor="ma")
    line = [(across.place(epoch), down.place(value)) for epoch, value in points]
    draw.line(line, _LINE, width=2)
    for x, y in line if len(line) < 60 else line[-1:]:
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), _LINE)
    return panel
