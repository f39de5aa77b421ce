"""Bytes from a socket that may not trickle for ever."""

import io
import time
from typing import Any

# Seconds to wait for a connection, and for any next bytes of it.
TIMEOUT = 30.0
# So many bytes have to come in that time: one now and then is a hang, too.
_LEAST_BYTES = 4096


class PacedReader(io.RawIOBase):
    """Reads from a connection while that brings enough bytes in the time given.

    The time-out of a socket is for the next byte alone; a server that sends one every
    few seconds would hold a reader for days, in the headers as in the body.

    Args:
        raw: The connection.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__()
        self._raw = raw
        self._waited = 0.0
        self._came = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        begin = time.monotonic()
        count: int = self._raw.readinto(buffer) or 0
        # Only the waiting counts, not what the caller does in between.
        self._waited += time.monotonic() - begin
        self._came += count
        if self._came >= _LEAST_BYTES:
            self._waited, self._came = 0.0, 0
        elif self._waited > TIMEOUT:
            raise TimeoutError(f"{self._came} bytes came in {self._waited:.0f} seconds")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
