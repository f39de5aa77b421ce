"""Confidence against accuracy as a diagram."""

from xml.etree.ElementTree import Element

from keras_deeplab.inference.axis import Axis
from keras_deeplab.inference.report.markup import svg, tag
from keras_deeplab.metrics import Calibration

_WIDTH, _HEIGHT = 400, 430
_LEFT, _TOP, _RIGHT = 48, 14, 12
# Bottom of the diagram; top and bottom of the shares of pixels below it.
_BOTTOM, _SHARE_TOP, _SHARE_BOTTOM = 320, 336, 386


def draw_reliability(calibration: Calibration) -> Element:
    """Draws the accuracy of each bin of confidence, and how many pixels it has.

    Args:
        calibration: What was counted.

    Returns:
        An SVG: bars are the accuracy, red the distance to the confidence, the dashed
        line what a calibrated model shows. Below, the shares of the pixels.
    """
    across = Axis(0, 1, _LEFT, _WIDTH - _RIGHT)
    down = Axis(0, 1, _BOTTOM, _TOP)
    parts = [
        *_grid(across, down),
        *_bars(calibration, across, down),
        tag(
            "line",
            x1=across.start,
            y1=down.start,
            x2=across.end,
            y2=down.end,
            class_="line dashed",
        ),
        *_shares(calibration, across),
    ]
    return svg(_WIDTH, _HEIGHT, "Reliability diagram", parts)


def _grid(across: Axis, down: Axis) -> list[Element]:
    parts = []
    for value in down.ticks():
        x, y = across.place(value), down.place(value)
        end = "end" if value == across.most else "middle"
        parts += [
            tag("line", x1=across.start, x2=across.end, y1=y, y2=y, class_="grid"),
            tag("text", f"{value:g}", x=across.start - 6, y=y + 4, text_anchor="end"),
            tag("text", f"{value:g}", x=x, y=_SHARE_BOTTOM + 16, text_anchor=end),
        ]
    middle = (down.start + down.end) / 2
    turn = f"translate(12 {middle:g}) rotate(-90)"
    return [
        *parts,
        tag("text", "accuracy", transform=turn, text_anchor="middle"),
        tag(
            "text",
            "confidence, and shares of the pixels",
            x=(across.start + across.end) / 2,
            y=_HEIGHT - 8,
            text_anchor="middle",
        ),
    ]


def _bars(calibration: Calibration, across: Axis, down: Axis) -> list[Element]:
    parts = []
    rows = zip(
        calibration.pixels, calibration.accuracy, calibration.confidence, strict=True
    )
    for index, (pixels, accuracy, confidence) in enumerate(rows):
        if not pixels:
            continue
        x = across.place(index / calibration.bins) + 1
        width = across.place((index + 1) / calibration.bins) - x - 1
        tops = down.place(accuracy), down.place(confidence)
        gap = abs(tops[0] - tops[1])
        share = pixels / sum(calibration.pixels)
        parts.append(
            tag(
                "g",
                tag(
                    "title",
                    f"confidence {confidence:.3f}, accuracy {accuracy:.3f}, "
                    f"{100 * share:.2f} % of the pixels",
                ),
                tag(
                    "rect",
                    x=x,
                    y=tops[0],
                    width=width,
                    height=down.start - tops[0],
                    class_="bar",
                ),
                tag("rect", x=x, y=min(tops), width=width, height=gap, class_="gap"),
            )
        )
    return parts


def _shares(calibration: Calibration, across: Axis) -> list[Element]:
    most = max(1, *calibration.pixels)
    parts = []
    for index, pixels in enumerate(calibration.pixels):
        x = across.place(index / calibration.bins) + 1
        height = (_SHARE_BOTTOM - _SHARE_TOP) * pixels / most
        parts.append(
            tag(
                "rect",
                x=x,
                y=_SHARE_BOTTOM - height,
                width=across.place((index + 1) / calibration.bins) - x - 1,
                height=height,
                class_="share",
            )
        )
    y = _SHARE_BOTTOM
    line = tag("line", x1=across.start, x2=across.end, y1=y, y2=y, class_="axis")
    return [*parts, line]
