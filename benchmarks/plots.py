"""The pictures of the benchmarks, drawn with Pillow alone."""

import dataclasses
import itertools
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from exponent import PowerLaw
from PIL import Image, ImageDraw, ImageFont

PAPER, INK, GRID = "white", (40, 40, 40), (222, 222, 222)
COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b")
PANEL, MARGIN = (500, 360), (60, 40, 20, 50)
ROW, LABELS, SCALE_END = 17, 185, 60
# A longer bar is cut; its number stands beside it.
LONGEST = 4.0


@dataclasses.dataclass(frozen=True)
class Bars:
    """A title, and two lengths for each name: a wide bar and a thin one below it."""

    title: str
    values: Mapping[str, tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Curve:
    """Costs at some sizes, and the power law fitted to them."""

    name: str
    sizes: Sequence[float]
    costs: Sequence[float]
    law: PowerLaw


def draw_bars(panels: Sequence[Bars], path: pathlib.Path, *, columns: int = 2) -> None:
    """Draws groups of horizontal bars; a line marks 1."""
    height = 45 + ROW * 2 * max(len(panel.values) for panel in panels)
    rows = math.ceil(len(panels) / columns)
    page = Image.new("RGB", (columns * PANEL[0], rows * height + 24), PAPER)
    lengths = (max(pair) for panel in panels for pair in panel.values.values())
    most = min(max(lengths), LONGEST)
    names = dict.fromkeys(name for panel in panels for name in panel.values)
    colors = dict(zip(names, itertools.cycle(COLORS), strict=False))
    for index, panel in enumerate(panels):
        corner = index % columns * PANEL[0], index // columns * height
        page.paste(_bars(panel, (PANEL[0], height), most, colors), corner)
    legend = (
        "Time as a multiple of ours: wide bars as it is, thin bars per multiply-add."
    )
    ImageDraw.Draw(page).text((10, rows * height), legend, INK, _font(13))
    page.save(path)


def _bars(
    panel: Bars, size: tuple[int, int], most: float, colors: Mapping[str, str]
) -> Image.Image:
    picture = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((10, 8), panel.title, INK, _font(15))
    scale = (size[0] - LABELS - SCALE_END) / most
    for index, (name, pair) in enumerate(panel.values.items()):
        top = 36 + 2 * ROW * index
        pen.text((LABELS - 8, top + ROW), name, INK, _font(13), anchor="rm")
        for y, thick, value in zip((top, top + 20), (18, 6), pair, strict=True):
            end = LABELS + min(value, most) * scale
            pen.rectangle((LABELS, y, end, y + thick), colors[name])
            where = (end + 4, y + thick / 2)
            pen.text(where, f"{value:.2f}", INK, _font(11), anchor="lm")
    one = LABELS + scale
    pen.line((one, 32, one, size[1] - 8), INK)
    return picture


def draw_curves(panels: Mapping[str, Sequence[Curve]], path: pathlib.Path) -> None:
    """Draws costs against sizes, both on logarithmic scales, with the fitted lines."""
    columns = 2
    rows = math.ceil(len(panels) / columns)
    page = Image.new("RGB", (columns * PANEL[0], rows * PANEL[1]), PAPER)
    for index, (title, curves) in enumerate(panels.items()):
        corner = index % columns * PANEL[0], index // columns * PANEL[1]
        page.paste(_curves(title, curves), corner)
    page.save(path)


def _curves(title: str, curves: Sequence[Curve]) -> Image.Image:
    picture = Image.new("RGB", PANEL, PAPER)
    pen = ImageDraw.Draw(picture)
    left, top, right, bottom = MARGIN
    across = _Axis([s for c in curves for s in c.sizes], left, PANEL[0] - right)
    down = _Axis([v for c in curves for v in c.costs], PANEL[1] - bottom, top)
    pen.text((left, 10), title, INK, _font(15))
    for size in sorted({size for curve in curves for size in curve.sizes}):
        x = across.place(size)
        pen.line((x, top, x, PANEL[1] - bottom), GRID)
        pen.text((x, PANEL[1] - bottom + 6), f"{size:g}", INK, _font(11), anchor="ma")
    for value in down.powers_of_two():
        y = down.place(value)
        pen.line((left, y, PANEL[0] - right, y), GRID)
        pen.text((left - 6, y), f"{value:g}", INK, _font(11), anchor="rm")
    for index, curve in enumerate(curves):
        color = COLORS[index]
        ends = min(curve.sizes), max(curve.sizes)
        line = [(across.place(size), down.place(curve.law.at(size))) for size in ends]
        pen.line(line, color, 2)
        for size, cost in zip(curve.sizes, curve.costs, strict=True):
            x, y = across.place(size), down.place(cost)
            pen.ellipse((x - 4, y - 4, x + 4, y + 4), color)
        text = f"{curve.name}: exponent {curve.law.exponent:.2f}"
        pen.text((left + 10, top + 6 + 18 * index), text, color, _font(13))
    return picture


class _Axis:
    """From values to pixels, by their logarithms."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        # Never less than a factor of 2, so that what stays looks as if it stays.
        middle = math.sqrt(min(values) * max(values))
        self._least = min(*values, middle / math.sqrt(2)) * 0.95
        self._most = max(*values, middle * math.sqrt(2)) * 1.05
        self._start, self._end = start, end

    def place(self, value: float) -> float:
        share = math.log(value / self._least) / math.log(self._most / self._least)
        return self._start + share * (self._end - self._start)

    def powers_of_two(self) -> list[float]:
        first = math.ceil(math.log2(self._least))
        last = math.floor(math.log2(self._most))
        return [2.0**power for power in range(first, last + 1)]


def _font(size: int) -> Any:
    return ImageFont.load_default(size)
