"""Mean IoU near boundaries as a plot."""

import math
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from keras_deeplab.inference.axis import Axis
from keras_deeplab.inference.evaluation import Evaluation
from keras_deeplab.inference.report.markup import svg, tag

_WIDTH, _HEIGHT = 620, 300
_LEFT, _TOP, _RIGHT, _BOTTOM = 48, 14, 20, 48


def draw_trimap(lines: Mapping[str, Evaluation]) -> Element:
    """Draws the mean IoU against the width of the band.

    Args:
        lines: What is to be compared, by name; each with scores in the same bands, and
            with pixels in the widest.

    Returns:
        An SVG; a dashed line is the mean IoU of all pixels.
    """
    widths = list(next(iter(lines.values())).trimap)
    values = [100 * value for line in lines.values() for value in _values(line)]
    across = Axis(0, max(widths), _LEFT, _WIDTH - _RIGHT)
    # Whole tens, a little room, and never above 100.
    least, most = 10 * (min(values) // 10), min(100, 10 * (max(values) // 10 + 1))
    down = Axis(least, most, _HEIGHT - _BOTTOM, _TOP)
    parts = [*_grid(across, down, widths)]
    for number, (name, line) in enumerate(lines.items()):
        parts += _line(line, across, down, number)
        if len(lines) > 1:
            parts += _key(name, number)
    return svg(_WIDTH, _HEIGHT, "Mean IoU against the width of the band", parts)


def _values(line: Evaluation) -> list[float]:
    found = [scores.mean_iou for scores in (*line.trimap.values(), line.scores)]
    return [value for value in found if not math.isnan(value)]


def _grid(across: Axis, down: Axis, widths: list[int]) -> list[Element]:
    parts = []
    for value in down.ticks():
        y = down.place(value)
        parts += [
            tag("line", x1=across.start, x2=across.end, y1=y, y2=y, class_="grid"),
            tag("text", f"{value:g}", x=across.start - 6, y=y + 4, text_anchor="end"),
        ]
    last = -100.0
    for width in widths:
        x = across.place(width)
        parts.append(
            tag("line", x1=x, x2=x, y1=down.start, y2=down.start + 4, class_="axis")
        )
        # Where widths are close, only some are named.
        if x - last > 18:
            y = down.start + 18
            parts.append(tag("text", str(width), x=x, y=y, text_anchor="middle"))
            last = x
    middle = (across.start + across.end) / 2
    text = "width of the band, pixels from the boundary"
    label = tag("text", text, x=middle, y=_HEIGHT - 8, text_anchor="middle")
    return [*parts, label]


def _line(line: Evaluation, across: Axis, down: Axis, number: int) -> list[Element]:
    points = [
        (across.place(width), down.place(100 * scores.mean_iou))
        for width, scores in line.trimap.items()
        if not math.isnan(scores.mean_iou)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    whole = down.place(100 * line.scores.mean_iou)
    kind = f"line line{number}"
    return [
        tag(
            "line",
            x1=across.start,
            x2=across.end,
            y1=whole,
            y2=whole,
            class_=f"{kind} dashed",
        ),
        tag("polyline", points=path, class_=kind),
        *(tag("circle", cx=x, cy=y, r=3.5, class_=f"dot{number}") for x, y in points),
    ]


def _key(name: str, number: int) -> list[Element]:
    y = _HEIGHT - _BOTTOM - 32 + 18 * number
    x = _WIDTH - 190
    return [
        tag("line", x1=x, x2=x + 24, y1=y, y2=y, class_=f"line line{number}"),
        tag("text", name, x=x + 32, y=y + 4),
    ]
