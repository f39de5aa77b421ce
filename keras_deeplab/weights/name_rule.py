"""One rule from the path of a weight to its name in a file."""

import re
from collections.abc import Mapping
from typing import NamedTuple


class NameRule(NamedTuple):
    """Paths that start like `layer` belong to the file's `scope`.

    Args:
        layer: Regular expression of our layer's name.
        scope: What stands for it in the file; may refer to groups of `layer`.
        tails: Ends of the file's names by the ends of our paths.
    """

    layer: str
    scope: str
    tails: Mapping[str, str]

    def name(self, path: str) -> str | None:
        """The file's name of the weight at `path`, if the rule is about it."""
        match = re.match(f"{self.layer}/", path)
        tail = self.tails.get(path[match.end() :]) if match else None
        return match.expand(self.scope) + tail if match and tail else None
