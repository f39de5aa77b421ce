"""Calls by threads of TensorFlow that do not outlast the program."""

import atexit
import threading
import time
from collections.abc import Callable
from typing import Any

# Threads that have not called for so long have their buffers full.
_QUIET_SECONDS = 0.1
# An iterator that another thread goes on with never fills its buffers.
_LONGEST_SECONDS = 5.0


class _Exit:
    """The end of the program, which waits for the calls that are inside."""

    def __init__(self) -> None:
        self.begun = False
        self._inside: set[int] = set()
        self._left = 0.0

    def __enter__(self) -> None:
        self._inside.add(threading.get_ident())

    def __exit__(self, *_: object) -> None:
        self._left = time.monotonic()
        self._inside.discard(threading.get_ident())

    def begin(self) -> None:
        self.begun = True
        latest = time.monotonic() + _LONGEST_SECONDS
        while time.monotonic() < latest and not self._is_quiet():
            time.sleep(_QUIET_SECONDS / 10)

    def _is_quiet(self) -> bool:
        return not self._inside and time.monotonic() - self._left >= _QUIET_SECONDS


_exit = _Exit()
atexit.register(_exit.begin)


def until_exit(function: Callable[..., Any], stand_in: Any) -> Callable[..., Any]:
    """Makes a function for the threads of a `tf.data.Dataset`.

    An iterator that is there when Python ends waits for its calls into Python, which
    never return then: the program would hang. So, just before, calls get a stand-in
    at once, until no more come because all buffers are full.

    Args:
        function: What is called.
        stand_in: What is returned in its place when the program ends.

    Returns:
        The function.
    """

    def called(*arguments: Any) -> Any:
        with _exit:
            return stand_in if _exit.begun else function(*arguments)

    return called
