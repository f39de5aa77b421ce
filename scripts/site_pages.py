"""Hook of mkdocs: pages of the site that are written outside `docs`, once.

The README is the site's first page. Links between pages are those that work in the
repository; here they are turned into those that work on the site.
"""

import posixpath
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mkdocs.structure.files import File, Files

# Where a page stands in the repository, and on the site.
PAGES: Mapping[str, str] = MappingProxyType(
    {
        "README.md": "index.md",
        "CHANGELOG.md": "changelog.md",
        "CONTRIBUTING.md": "contributing.md",
        "examples/android/README.md": "examples/android.md",
        "examples/browser/README.md": "examples/browser.md",
        "examples/serving/README.md": "examples/serving.md",
    }
)
_SOURCES = MappingProxyType({site: source for source, site in PAGES.items()})
# The target of a Markdown link without a scheme, and its anchor.
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)(?=[)#])")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that are outside `docs`."""
    for source, site in PAGES.items():
        files.append(File.generated(config, site, abs_src_path=source))
    return files


def on_page_markdown(markdown: str, page: Any, **_others: Any) -> str:
    """Turns links of the repository into those of the site."""
    site = page.file.src_uri
    return _LINK.sub(lambda found: site_link(site, found[1]), markdown)


def site_link(site: str, link: str) -> str:
    """What a page of the site calls what the repository calls `link`."""
    folder = posixpath.dirname(_SOURCES.get(site, f"docs/{site}"))
    target = posixpath.normpath(posixpath.join(folder, link))
    target = PAGES.get(target, target.removeprefix("docs/"))
    return posixpath.relpath(target, posixpath.dirname(site) or ".")
