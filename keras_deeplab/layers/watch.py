"""A look at, or a change of, what a network computes with: kernels and feature maps."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any, Protocol

from keras_deeplab._types import Tensor


class Watcher(Protocol):
    """What sees the kernels and the feature maps of the layers of this package."""

    def kernel(self, layer: Any, kernel: Tensor) -> Tensor:
        """Returns what a convolution is to use as its kernel."""

    def feature_map(self, layer: Any, outputs: Tensor) -> Tensor:
        """Returns what is to be used as the output of a layer."""


_watcher: contextvars.ContextVar[Watcher | None] = contextvars.ContextVar(
    "watcher", default=None
)


@contextlib.contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Has every call of a layer inside the block seen by a watcher.

    A compiled function keeps what was in force when it was traced.

    Args:
        watcher: The watcher.

    Yields:
        Nothing.
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def is_watched() -> bool:
    """Whether something looks at each kernel and feature map by itself."""
    return _watcher.get() is not None


def watched_kernel(layer: Any, kernel: Tensor) -> Tensor:
    """The kernel, or what the watcher makes of it."""
    watcher = _watcher.get()
    return kernel if watcher is None else watcher.kernel(layer, kernel)


def watched_map(layer: Any, outputs: Tensor) -> Tensor:
    """The output of a layer, or what the watcher makes of it."""
    watcher = _watcher.get()
    return outputs if watcher is None else watcher.feature_map(layer, outputs)
