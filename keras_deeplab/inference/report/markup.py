"""HTML and SVG as trees, so that whatever is written into them is escaped."""

import base64
import io
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from PIL import Image

Content = Element | str

_LONGEST = 24


def tag(name: str, /, *content: Content, **attributes: str | float) -> Element:
    """Makes an element.

    Args:
        name: Its name.
        *content: Elements and texts in it.
        **attributes: Its attributes; `class_` is `class`, `text_anchor` `text-anchor`.

    Returns:
        The element.
    """
    element = Element(name)
    for key, value in attributes.items():
        text = value if isinstance(value, str) else f"{value:.6g}"
        element.set(key.rstrip("_").replace("_", "-"), text)
    for part in content:
        add(element, part)
    return element


def add(element: Element, part: Content) -> None:
    """Puts an element or a text at the end of an element."""
    if isinstance(part, Element):
        element.append(part)
    elif len(element):
        element[-1].tail = (element[-1].tail or "") + part
    else:
        element.text = (element.text or "") + part


def shortened(name: str) -> str:
    """Returns a name of a class as drawings have room for it."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def svg(width: float, height: float, title: str, parts: Iterable[Element]) -> Element:
    """Makes a drawing that shrinks with the page.

    Args:
        width: Its width in pixels.
        height: Its height.
        title: What it shows, for those who cannot see it.
        parts: What it holds.

    Returns:
        The drawing.
    """
    return tag(
        "svg",
        tag("title", title),
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
    )


def image_uri(picture: Image.Image, kind: str) -> str:
    """Returns a picture as an address that holds it.

    Args:
        picture: RGB.
        kind: `"PNG"` or `"JPEG"`.

    Returns:
        The address.
    """
    file = io.BytesIO()
    picture.save(file, kind, quality=85, optimize=True)
    text = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{text}"
