"""The legend below a picture."""

from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from keras_deeplab.inference.class_share import ClassShare

_PAPER = (255, 255, 255)
_INK = (32, 32, 32)
_FAINT = (110, 110, 110)


def add_legend(
    picture: Image.Image, shares: Sequence[ClassShare], uncolored: int | None = None
) -> Image.Image:
    """Puts a legend below a picture: a swatch, a name and a share for each class.

    The type grows with the picture, so that it stays readable when a large picture
    is looked at whole. A picture narrower than one entry is centred on white.

    Args:
        picture: RGB.
        shares: The classes, in the order to show them.
        uncolored: Label that the picture shows without colour; its swatch is empty.

    Returns:
        A new RGB picture.
    """
    em = _em(picture.size)
    font: Any = ImageFont.load_default(em)
    cell = max(_entry_width(font, em, share) for share in shares)
    width = max(picture.width, cell + em)
    columns = max(1, min(len(shares), (width - em) // cell))
    line = round(1.6 * em)
    rows = -(-len(shares) // columns)
    page = Image.new("RGB", (width, picture.height + rows * line + em), _PAPER)
    page.paste(picture, ((width - picture.width) // 2, 0))
    draw = ImageDraw.Draw(page)
    for index, share in enumerate(shares):
        row, column = divmod(index, columns)
        corner = (em + column * cell, picture.height + em // 2 + row * line)
        swatch = _PAPER if share.label == uncolored else share.color
        _draw_entry(draw, corner, font, em, share, swatch)
    return page


def _em(size: tuple[int, int]) -> int:
    width, height = size
    return max(14, min(max(width, height) // 45, width // 16))


def _entry_width(font: Any, em: int, share: ClassShare) -> int:
    text = font.getlength(share.name) + font.getlength(share.percent)
    return round(text + 3.5 * em)


def _draw_entry(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    font: Any,
    em: int,
    share: ClassShare,
    swatch: tuple[int, int, int],
) -> None:
    x, middle = corner[0], corner[1] + 0.8 * em
    half = em / 2
    draw.rounded_rectangle(
        (x, middle - half, x + em, middle + half),
        radius=em // 5,
        fill=swatch,
        outline=_FAINT,
        width=max(1, em // 14),
    )
    x += round(1.5 * em)
    draw.text((x, middle), share.name, _INK, font, anchor="lm")
    x += round(font.getlength(share.name) + 0.5 * em)
    draw.text((x, middle), share.percent, _FAINT, font, anchor="lm")
