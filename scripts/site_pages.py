"""Hook of mkdocs: pages of the site that are written outside `docs`, once.

The README is the site's first page, and notebooks are pages too. Links between pages
are those that work in the repository; here they become those that work on the site.
"""

import json
import pathlib
import posixpath
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = pathlib.Path(__file__).parents[1]
# Where a page stands in the repository, and on the site.
PAGES: Mapping[str, str] = MappingProxyType(
    {
        "README.md": "index.md",
        "CHANGELOG.md": "changelog.md",
        "CONTRIBUTING.md": "contributing.md",
        "examples/android/README.md": "examples/android.md",
        "examples/browser/README.md": "examples/browser.md",
        "examples/serving/README.md": "examples/serving.md",
        "examples/fine_tune.ipynb": "examples/fine_tune.md",
        "examples/ship_to_mobile.ipynb": "examples/ship_to_mobile.md",
        "examples/crf.ipynb": "examples/crf.md",
    }
)
_SOURCES = MappingProxyType({site: source for source, site in PAGES.items()})
# Text and target of a Markdown link without a scheme; its anchor stays.
_LINK = re.compile(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that are outside `docs`."""
    for source, site in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        text = as_markdown(text) if source.endswith(".ipynb") else text
        files.append(File.generated(config, site, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_others: Any) -> str:
    """Turns links of the repository into those of the site."""
    site = page.file.src_uri
    return _LINK.sub(lambda found: site_link(site, *found.groups("")), markdown)


def as_markdown(notebook: str) -> str:
    """The cells of a notebook, one below the other."""
    cells = json.loads(notebook)["cells"]
    texts = (("".join(cell["source"]), cell["cell_type"]) for cell in cells)
    return "\n\n".join(
        f"```python\n{text}\n```" if kind == "code" else text for text, kind in texts
    )


def site_link(site: str, text: str, link: str, anchor: str) -> str:
    """What becomes of a link on a page of the site.

    A file that is in the repository alone is named, without a link.
    """
    folder = posixpath.dirname(_SOURCES.get(site, f"docs/{site}"))
    target = posixpath.normpath(posixpath.join(folder, link))
    if target not in PAGES and not target.startswith("docs/"):
        return (
            f"{text} (`{target}`)" if (ROOT / target).exists() else f"[{text}]({link})"
        )
    target = PAGES.get(target, target.removeprefix("docs/"))
    path = posixpath.relpath(target, posixpath.dirname(site) or ".")
    return f"[{text}]({path}{anchor})"
