"""Calls by threads of TensorFlow that do not outlast the program."""

import atexit
import threading
import time
from collections.abc import Callable
from typing import Any

# Threads that have not called for so long have their buffers full.
_QUIET_SECONDS = 0.1

_ending = threading.Event()
_calls: set[int] = set()
_last_call = [0.0]


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
        me = threading.get_ident()
        _calls.add(me)
        try:
            return stand_in if _ending.is_set() else function(*arguments)
        finally:
            _last_call[0] = time.monotonic()
            _calls.discard(me)

    return called


@atexit.register
def _end() -> None:
    _ending.set()
    while _calls or time.monotonic() - _last_call[0] < _QUIET_SECONDS:
        time.sleep(_QUIET_SECONDS / 10)
