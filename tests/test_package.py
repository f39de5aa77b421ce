"""The public surface: what is exported, documented, registered and imported."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import pytest

import keras_deeplab
from keras_deeplab._serialization import PACKAGE
from keras_deeplab._version import __version__

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(keras_deeplab.__path__, "keras_deeplab.")
    if not module.name.endswith("__main__")
]
# Other classes derive from these; no saved file holds one.
BASES = {"BaseAtrousConv", "PixelLoss", "Segmenter"}
PUBLIC_MODULES = [
    keras_deeplab,
    *(module for module in MODULES if hasattr(module, "__path__")),
]


def public_objects() -> dict[str, Any]:
    """Every public class and function, by the name it is imported under."""
    return {
        f"{module.__name__}.{name}": getattr(module, name)
        for module in PUBLIC_MODULES
        for name in getattr(module, "__all__", ())
        if inspect.isclass(getattr(module, name))
        or inspect.isfunction(getattr(module, name))
    }


def own_classes() -> Iterator[type]:
    for module in MODULES:
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ == module.__name__:
                yield cls


def documented_arguments(thing: Any) -> list[str]:
    section = re.search(r"^Args:\n((?: .*\n?|\n)+)", inspect.getdoc(thing) or "", re.M)
    return re.findall(r"^ {4}(\*{0,2}\w+):", section[1], re.M) if section else []


def accepted_arguments(thing: Any) -> list[str]:
    if inspect.isclass(thing):
        thing = thing.__init__
        if not getattr(thing, "__module__", "").startswith(PACKAGE):
            return []
    # str() of a parameter has the stars, and more after its name.
    parameters = inspect.signature(thing).parameters.values()
    names = [re.match(r"\*{0,2}\w+", str(parameter))[0] for parameter in parameters]
    return [name for name in names if name != "self"]


# ruff (RUF022) keeps `__all__` sorted.
@pytest.mark.parametrize("module", PUBLIC_MODULES, ids=lambda module: module.__name__)
def test_all_in_a_public_module_is_complete(module: ModuleType) -> None:
    defined = {
        name
        for name, value in inspect.getmembers(module)
        if getattr(value, "__module__", "").startswith(module.__name__)
        and (inspect.isclass(value) or inspect.isfunction(value))
        and not name.startswith("_")
    }
    assert all(hasattr(module, name) for name in module.__all__)
    assert defined <= set(module.__all__)


@pytest.mark.parametrize("name", public_objects())
def test_documented_arguments_of_a_public_name_equal_its_signature(name: str) -> None:
    thing = public_objects()[name]
    assert documented_arguments(thing) == accepted_arguments(thing)


@pytest.mark.parametrize(
    "cls",
    [
        cls
        for cls in own_classes()
        if issubclass(cls, keras.Layer | keras.Loss | keras.Metric)
        and cls.__name__ not in BASES
    ],
    ids=lambda cls: cls.__name__,
)
def test_registered_name_of_a_keras_class_is_its_own(cls: type) -> None:
    assert keras.saving.get_registered_name(cls) == f"{PACKAGE}>{cls.__name__}"
    assert keras.saving.get_registered_object(f"{PACKAGE}>{cls.__name__}") is cls


def test_registration_package_of_any_version_is_keras_deeplab() -> None:
    # Every saved file holds this name.
    assert PACKAGE == "keras_deeplab"


def test_import_of_the_package_brings_only_what_keras_brings() -> None:
    code = (
        "import sys, keras; before = set(sys.modules); import keras_deeplab;"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    brought = set(run.stdout.split()) - set(sys.stdlib_module_names)
    # Pillow is small, and photos are read with nothing else.
    assert brought == {"keras_deeplab", "PIL"}


def test_version_in_the_changelog_is_the_version_of_the_package() -> None:
    released = re.search(r"^## \[(\d[^]]*)\]", CHANGELOG.read_text(), re.M)
    assert released
    assert released[1] == __version__
