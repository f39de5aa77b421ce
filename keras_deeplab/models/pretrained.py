"""The argument `weights` of the models' constructors.

Where weights come from, the models do not know: the package's part that does, above
them, registers itself here.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import keras

_Init = TypeVar("_Init", bound=Callable[..., None])


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where a model starts from.

    Args:
        arguments: The constructor's arguments that the weights were made with.
        load: Sets the weights of a model that was built with them.
    """

    arguments: Mapping[str, Any]
    load: Callable[[keras.Model], None]


# The class of the model, its argument `weights`, and the arguments that were given.
Finder = Callable[[type, str, Mapping[str, Any]], Start]


def _no_finder(cls: type, weights: str, given: Mapping[str, Any]) -> Start:
    raise ValueError(
        "`weights` needs keras_deeplab.weights: import keras_deeplab. "
        f"Received: weights={weights!r}"
    )


_finder: Finder = _no_finder


def register_finder(finder: Finder) -> Finder:
    """Makes a function the one that knows where weights come from."""
    global _finder
    _finder = finder
    return finder


def takes_weights(init: _Init) -> _Init:
    """Gives a model's constructor the argument `weights`.

    Arguments that are not given are then those the weights were made with.
    """
    signature = inspect.signature(init)

    @functools.wraps(init)
    def wrapped(self: Any, *args: Any, weights: Any = None, **kwargs: Any) -> None:
        if weights is None:
            init(self, *args, **kwargs)
            return
        given = dict(signature.bind(self, *args, **kwargs).arguments)
        given.pop("self")
        given.update(given.pop("kwargs", {}))
        start = _finder(type(self), weights, given)
        init(self, **{**start.arguments, **given})
        start.load(self)

    # What Keras and readers of the documentation see: no `*args`.
    *first, rest = signature.parameters.values()
    weights = inspect.Parameter("weights", inspect.Parameter.KEYWORD_ONLY, default=None)
    shown = signature.replace(parameters=[*first, weights, rest])
    wrapped.__signature__ = shown  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]
