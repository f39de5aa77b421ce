"""The files of the page."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from keras_deeplab.weights.weights_row import ASSETS

_PAGE = Path(__file__).with_name("page")
#: Photos to try, and what they show.
EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "promenade.jpg": "A promenade",
        "cat.jpg": "A cat",
        "astronaut.jpg": "An astronaut",
    }
)
#: What is served of which file, and as what.
FILES: Mapping[str, tuple[Path, str]] = MappingProxyType(
    {
        "/": (_PAGE / "index.html", "text/html; charset=utf-8"),
        "/app.js": (_PAGE / "app.js", "text/javascript; charset=utf-8"),
        "/camera.js": (_PAGE / "camera.js", "text/javascript; charset=utf-8"),
        "/style.css": (_PAGE / "style.css", "text/css; charset=utf-8"),
        **{f"/examples/{name}": (ASSETS / name, "image/jpeg") for name in EXAMPLES},
    }
)
