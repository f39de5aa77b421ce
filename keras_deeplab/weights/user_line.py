"""Which line a warning is about."""

import os
import sys
from pathlib import Path

_PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"


def user_stacklevel() -> int:
    """Finds the line outside this package that led here.

    Returns:
        The `stacklevel` of `warnings.warn`, for the function that asks.
    """
    # From Python 3.12 on `skip_file_prefixes` would do.
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    return level
