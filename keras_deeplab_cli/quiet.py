"""Keeps TensorFlow's chatter off the terminal."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_SILENT = "3"


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Hides what native code writes to stderr while Keras's backend is imported.

    The log level alone does not do it: TensorFlow writes some lines before it looks.
    """
    os.environ.setdefault(_LEVEL, _SILENT)
    with quiet_native():
        yield


@contextlib.contextmanager
def quiet_native() -> Iterator[None]:
    """Hides what native code writes to stderr.

    Whoever sets another log level asks for the messages and gets them, and if the block
    fails everything is shown.
    """
    if os.environ.get(_LEVEL) != _SILENT:
        yield
        return
    with tempfile.TemporaryFile() as hidden:
        try:
            with _stderr_to(hidden.fileno()):
                yield
        except Exception:
            # Ctrl-C is no failure.
            hidden.seek(0)
            os.write(2, hidden.read())
            raise


@contextlib.contextmanager
def _stderr_to(target: int) -> Iterator[None]:
    sys.stderr.flush()
    saved = os.dup(2)
    os.dup2(target, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
