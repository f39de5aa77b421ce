"""The programs of `examples/serving`, which find each other in their own folder."""

import importlib
import pathlib
import sys
from types import ModuleType

_FOLDER = str(pathlib.Path(__file__).parents[3] / "examples" / "serving")


def load_example(name: str) -> ModuleType:
    sys.path.insert(0, _FOLDER)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(_FOLDER)
