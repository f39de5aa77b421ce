"""A stream that a reader can neither unpack endlessly nor walk in circles."""

import gzip
from typing import IO

from keras_deeplab.weights.download_error import DownloadError

# More than any header of an archive: a claimed length is not room to be reserved.
_LARGEST_READ = 1 << 20
# tarfile looks one byte back, never farther; an offset that does leads round and round.
_BACK = 512


class BoundedStream:
    """What `tarfile` needs of a file, within bounds.

    Args:
        stream: The unpacked bytes.
        limit: How many of them there may be.
    """

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._farthest = 0

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int) -> int:
        if offset < self._farthest - _BACK:
            raise DownloadError("its headers lead backwards")
        self._check(offset)
        return self._stream.seek(offset)

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _LARGEST_READ:
            raise DownloadError(f"a header of it claims {size} bytes")
        data = self._stream.read(size)
        self._check(self.tell())
        return data

    def _check(self, offset: int) -> None:
        if offset > self._limit:
            raise DownloadError(f"it unpacks to more than {self._limit} bytes")
        self._farthest = max(self._farthest, offset)
