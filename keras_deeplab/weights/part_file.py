"""A download that is not complete yet."""

import json
import re
from pathlib import Path

from keras_deeplab._atomic_file import write_atomically

# A strong one: of two answers with a weak one, bytes may differ. Nothing else may be
# sent back in a request.
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]{1,200}"')


class PartFile:
    """What has come of a file so far, and where the rest may come from.

    It lies hidden beside the file's place, never under its name. Whoever uses it holds
    the lock of that place.

    Args:
        path: Where the file belongs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f".{path.name}.part")
        self._record = path.with_name(f".{path.name}.part.json")

    def size(self) -> int:
        """Counts the bytes that have come.

        Returns:
            The bytes; 0 if there is no file.

        Raises:
            OSError: If the file cannot be looked at.
        """
        return self.path.stat().st_size if self.path.exists() else 0

    def etag(self, url: str) -> str | None:
        """Finds out whether the rest may be asked for.

        Args:
            url: Where it would come from.

        Returns:
            The entity tag of the file that the part is of, or `None` if the part is of
            another url, or the server gave no tag to know the file again by.
        """
        try:
            record = json.loads(self._record.read_bytes())
            known, etag = record["url"], record["etag"]
        except (OSError, ValueError, TypeError, LookupError, RecursionError):
            return None
        return strong_etag(etag) if known == url and self.size() else None

    def start(self, url: str, etag: str | None) -> None:
        """Begins anew.

        Args:
            url: Where the file comes from.
            etag: Its entity tag, if it has a strong one.

        Raises:
            OSError: If the part cannot be written.
        """
        # In this order no record ever speaks of another file's bytes.
        self.discard()
        self.path.touch()
        if etag is not None:
            record = json.dumps({"url": url, "etag": etag})
            write_atomically(self._record, lambda file: file.write(record.encode()))

    def discard(self) -> None:
        """Deletes what has come.

        Raises:
            OSError: If it cannot be deleted.
        """
        self._record.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def keep(self, path: Path) -> None:
        """Gives the complete file its name.

        Args:
            path: Where the file belongs.

        Raises:
            OSError: If it cannot be renamed.
        """
        self._record.unlink(missing_ok=True)
        self.path.replace(path)


def strong_etag(value: object) -> str | None:
    """Tells an entity tag that stands for exactly these bytes.

    Args:
        value: What a server, or a record, gives as one.

    Returns:
        The tag, or `None` if it is weak or none at all.
    """
    return value if isinstance(value, str) and _STRONG_ETAG.fullmatch(value) else None
