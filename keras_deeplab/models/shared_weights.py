"""Models that work with the weights of another one."""

from collections.abc import Callable
from typing import Any

import keras


class SharedWeights:
    """The models of other arguments that were built over one model's weights.

    Each is built once. They hold no weights of their own: what the model learns after
    that, they know. On JAX they hold copies, which are renewed at each use.
    """

    def __init__(self) -> None:
        # Not on the model itself, which would count their layers among its own.
        self._built: dict[tuple[Any, ...], keras.Model] = {}

    def get(
        self, source: keras.Model, key: tuple[Any, ...], build: Callable[[], Any]
    ) -> Any:
        """Returns the model of a key, with the source's weights as they are now.

        Args:
            source: The model whose weights are used.
            key: Stands for the arguments.
            build: Makes a model of these arguments, whose weights are of the same
                number, order and shapes as the source's.

        Returns:
            The model.
        """
        if key not in self._built:
            self._built[key] = build()
        model = self._built[key]
        for own, shared in zip(model.weights, source.weights, strict=True):
            _share(own, shared)
        return model


def _share(own: Any, shared: Any) -> None:
    if keras.backend.backend() == "jax":
        # Keras gives the arrays away when it calls JAX, and two models cannot both.
        own.assign(keras.ops.copy(shared.value))
    else:
        # Keras has no public way to let two layers have one variable.
        own._value = shared._value
