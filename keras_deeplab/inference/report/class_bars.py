"""The IoU of each class as bars."""

import math
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from keras_deeplab.data.colors import label_colors
from keras_deeplab.inference.report.markup import shortened, svg, tag
from keras_deeplab.metrics import SegmentationScores

_WIDTH, _ROW, _GAP = 1030, 19, 24
_SWATCH, _LETTER, _VALUE = 16, 6.9, 44
# Classes up to which one column, or two, are enough.
_COLUMNS = (24, 80)


def draw_class_bars(
    names: Sequence[str],
    scores: SegmentationScores,
    plain: SegmentationScores | None = None,
) -> Element:
    """Draws the IoU of each class, the best first.

    Args:
        names: Names of the classes.
        scores: The scores.
        plain: Others to be marked on the bars.

    Returns:
        An SVG; a class that is in neither truth nor prediction comes last and without
        a bar.
    """
    order = sorted(range(len(names)), key=lambda label: _key(scores.class_iou[label]))
    columns = 1 + sum(len(names) > most for most in _COLUMNS)
    rows = -(-len(names) // columns)
    width = (_WIDTH - (columns - 1) * _GAP) / columns
    longest = max(len(shortened(name)) for name in names)
    start = _SWATCH + longest * _LETTER + 8
    parts = []
    for place, label in enumerate(order):
        column, row = divmod(place, rows)
        parts.append(
            tag(
                "g",
                *_bar(label, names[label], scores, plain, start, width),
                transform=f"translate({column * (width + _GAP):g} {row * _ROW})",
            )
        )
    return svg(_WIDTH, rows * _ROW, "IoU of each class", parts)


def _key(iou: float) -> float:
    return math.inf if math.isnan(iou) else -iou


def _bar(
    label: int,
    name: str,
    scores: SegmentationScores,
    plain: SegmentationScores | None,
    start: float,
    width: float,
) -> list[Element]:
    iou, pixels = scores.class_iou[label], scores.truth_pixels[label]
    length = width - start - _VALUE
    color = "rgb({},{},{})".format(*label_colors(label + 1)[label])
    parts = [
        tag("title", f"{label} {name}: {pixels:,} pixels in the truth"),
        tag("rect", x=0, y=4, width=10, height=10, fill=color, class_="swatch"),
        tag("text", shortened(name), x=_SWATCH, y=13),
        tag("rect", x=start, y=2, width=length, height=14, class_="track"),
    ]
    if math.isnan(iou):
        return [*parts, tag("text", "-", x=width - _VALUE + 6, y=13, class_="faint")]
    kind = "bar" if pixels else "bar absent"
    parts.append(tag("rect", x=start, y=2, width=length * iou, height=14, class_=kind))
    if plain is not None and not math.isnan(plain.class_iou[label]):
        x = start + length * plain.class_iou[label]
        parts.append(tag("line", x1=x, x2=x, y1=1, y2=17, class_="mark"))
    text = f"{100 * iou:.1f}"
    ink = "ink" if pixels else "faint"
    return [*parts, tag("text", text, x=width, y=13, text_anchor="end", class_=ink)]
