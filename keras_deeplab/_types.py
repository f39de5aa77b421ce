"""The few types that Keras leaves to us."""

from collections.abc import Callable
from typing import Any

# Keras has no usable tensor type: what a layer takes differs by backend.
Tensor = Any

Shape = tuple[int | None, ...]

# Of an atrous convolution: one for both directions, or the vertical, the horizontal.
Rate = int | tuple[int, int]

# Told a task's name, the steps done, and how many there are.
Progress = Callable[[str, int, int], None]
