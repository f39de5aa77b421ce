"""The package string under which every custom Keras class is registered."""

from typing import TypeVar

import keras

PACKAGE = "keras_deeplab"

_Class = TypeVar("_Class", bound=type)


def register(cls: _Class) -> _Class:
    """Registers a class with Keras, so that saved files find it by name.

    Saved files hold `"keras_deeplab>ClassName"`: changing the package string or a
    class name breaks every file written before.

    Args:
        cls: The layer, model, loss, metric or schedule class.

    Returns:
        The same class.
    """
    registered: _Class = keras.saving.register_keras_serializable(package=PACKAGE)(cls)
    return registered
