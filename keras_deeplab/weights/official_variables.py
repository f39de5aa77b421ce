"""The variables of an official network, as far as a file tells."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from keras_deeplab.weights.folded_conv import Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class OfficialVariables:
    """Variables by official name: their shapes at once, their values on demand.

    Values are read one by one, and only after a shape has been compared, so that a
    file cannot make a reader allocate what no model has. What a file does not say of
    the network is `None`.
    """

    source: str
    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[str], Array]
    output_stride: int | None = None
    pooling_window: tuple[int, int] | None = None
    pooling_strides: tuple[int, int] | None = None

    def value(self, name: str) -> Array:
        """Reads a variable and checks that all its numbers are finite."""
        value = self.read(name)
        if not np.isfinite(value).all():
            raise self.error(f"variable {name!r} has numbers that are not finite")
        return value

    def error(self, problem: str) -> ValueError:
        """A `ValueError` that says what keeps this file from loading."""
        return source_error(self.source, problem)


def source_error(source: object, problem: str) -> ValueError:
    """A `ValueError` about a file of official variables."""
    return ValueError(
        f"`source` does not hold the variables of an official DeepLab model: "
        f"{problem}. Received: source={str(source)!r}"
    )
