"""Makes the package's modules importable without Keras, which takes seconds."""

import sys
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).parents[2] / "keras_deeplab"


def import_lightly() -> None:
    """For a process of a test that only downloads; to be called before any import."""
    for name, folder in (
        ("keras_deeplab", PACKAGE),
        ("keras_deeplab.weights", PACKAGE / "weights"),
    ):
        module = ModuleType(name)
        module.__path__ = [str(folder)]
        sys.modules[name] = module
