"""A confusion matrix as a picture."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from PIL import Image

from keras_deeplab.inference.report.markup import image_uri, shortened, svg, tag
from keras_deeplab.metrics import SegmentationScores

_SIDE, _CELLS = 760, (5, 38)
# Cells below this hold no number.
_NUMBERS = 22
# From no pixel to all of them. Their root, or the small shares would all look white.
_WHITE, _INK = np.array([255, 255, 255]), np.array([8, 60, 120])


class Confusion(NamedTuple):
    """A class that is taken for another.

    Attributes:
        truth: The label it has.
        prediction: The one it is given.
        share: Of the class's pixels, in `[0, 1]`.
        pixels: How many.
    """

    truth: int
    prediction: int
    share: float
    pixels: int


def largest_confusions(
    scores: SegmentationScores, most: int = 10
) -> tuple[Confusion, ...]:
    """Finds the mistakes that concern most pixels.

    Args:
        scores: The scores.
        most: How many to return.

    Returns:
        Pairs of different classes that were confused, the largest first.
    """
    counts = np.array(scores.confusion)
    shares = _shares(counts)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    cells = zip(*np.unravel_index(order, counts.shape), strict=True)
    return tuple(
        Confusion(int(row), int(column), shares[row, column], int(counts[row, column]))
        for row, column in cells
        if counts[row, column]
    )


def draw_confusion(names: Sequence[str], scores: SegmentationScores) -> Element:
    """Draws where the pixels of each true class went.

    Args:
        names: Names of the classes.
        scores: The scores.

    Returns:
        An SVG: a row is a true class, a column a predicted one, and the darker a cell,
        the larger its share of the row. Numbers are percent, where they fit.
    """
    shares = _shares(np.array(scores.confusion))
    cell = min(max(_SIDE // len(names), _CELLS[0]), _CELLS[1])
    font = min(12.0, 0.9 * cell)
    names = [shortened(name) for name in names]
    margin = round(0.58 * font * max(map(len, names))) + 12
    side = cell * len(names)
    parts = [_picture(shares, margin, side)]
    for label, name in enumerate(names):
        middle = margin + (label + 0.5) * cell
        turn = f"translate({middle + 0.35 * font:g} {margin - 6}) rotate(-90)"
        parts += [
            tag(
                "text",
                name,
                x=margin - 6,
                y=middle + 0.35 * font,
                text_anchor="end",
                font_size=font,
            ),
            tag("text", name, transform=turn, font_size=font),
        ]
    if cell >= _NUMBERS:
        parts += _numbers(shares, margin, cell)
    size = margin + side + 1
    return svg(size, size, "Confusion matrix", parts)


def _picture(shares: Any, margin: int, side: int) -> Element:
    colors = _WHITE + np.sqrt(shares)[..., None] * (_INK - _WHITE)
    picture = Image.fromarray(colors.round().astype("uint8"))
    return tag(
        "g",
        tag(
            "image",
            href=image_uri(picture, "PNG"),
            x=margin,
            y=margin,
            width=side,
            height=side,
            preserveAspectRatio="none",
            style="image-rendering: pixelated",
        ),
        tag("rect", x=margin, y=margin, width=side, height=side, class_="frame"),
    )


def _numbers(shares: Any, margin: int, cell: int) -> list[Element]:
    parts = []
    for row, column in zip(*np.nonzero(shares >= 0.005), strict=True):
        share = shares[row, column]
        parts.append(
            tag(
                "text",
                f"{100 * share:.0f}",
                x=margin + (column + 0.5) * cell,
                y=margin + (row + 0.5) * cell + 4,
                text_anchor="middle",
                class_="on-dark" if share > 0.2 else "on-light",
            )
        )
    return parts


def _shares(counts: Any) -> Any:
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
