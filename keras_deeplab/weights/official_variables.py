"""The variables of an official network, as far as a file tells."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from keras_deeplab.weights.folded_conv import Array

_CONTENT = "the variables of an official DeepLab model"


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
    content: str = _CONTENT

    def check(self, wanted: Mapping[str, Any], skipped: Iterable[str]) -> None:
        """Compares names and shapes with those of a model.

        Args:
            wanted: Weights of the model by official name.
            skipped: Variables that need no place.

        Raises:
            ValueError: If a variable is missing, has no place, or has another shape
                than the weight. The message names it.
        """
        for name in sorted(wanted.keys() - self.shapes.keys()):
            raise self.error(f"variable {name!r} is missing")
        for name in sorted(self.shapes.keys() - wanted.keys() - set(skipped)):
            raise self.error(f"variable {name!r} has no place in the model")
        for name, weight in wanted.items():
            if self.shapes[name] != tuple(weight.shape):
                raise self.error(
                    f"variable {name!r} has the shape {self.shapes[name]}, and the "
                    f"model's weight {weight.path!r} has {tuple(weight.shape)}"
                )

    def value(self, name: str) -> Array:
        """Reads a variable and checks that all its numbers are finite."""
        value = self.read(name)
        if not np.isfinite(value).all():
            raise self.error(f"variable {name!r} has numbers that are not finite")
        return value

    def error(self, problem: str) -> ValueError:
        """A `ValueError` that says what keeps this file from loading."""
        return source_error(self.source, problem, self.content)


def source_error(source: object, problem: str, content: str = _CONTENT) -> ValueError:
    """A `ValueError` about a file of official variables."""
    return ValueError(
        f"`source` does not hold {content}: {problem}. Received: source={str(source)!r}"
    )
