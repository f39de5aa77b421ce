"""One entry of an archive, before it is believed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from keras_deeplab.weights.download_error import DownloadError

# A backslash or a colon leads elsewhere on Windows; the rest hides what a name is.
_FORBIDDEN = re.compile(r"[\\:\x00-\x1f\x7f]")


@dataclass(frozen=True)
class ArchiveMember:
    """A file or folder of an archive.

    Args:
        name: Its name, as the archive gives it.
        kind: `file`, `folder`, or in words what else it is.
        open: Opens its bytes.
    """

    name: str
    kind: str
    open: Callable[[], IO[bytes]]

    def place(self) -> PurePosixPath:
        """Finds where the member belongs.

        Returns:
            A relative path that leads nowhere but down.

        Raises:
            DownloadError: If the name leads elsewhere, or the member is neither a file
                nor a folder.
        """
        if self.kind not in ("file", "folder"):
            raise DownloadError(f"its member {self.name!r} is {self.kind}")
        place = PurePosixPath(self.name)
        outside = place.is_absolute() or ".." in place.parts
        nameless = self.kind == "file" and not place.parts
        if outside or nameless or _FORBIDDEN.search(self.name):
            raise DownloadError(f"its member {self.name!r} would leave the folder")
        return place
