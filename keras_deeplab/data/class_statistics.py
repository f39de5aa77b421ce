"""How often classes occur, and the weights that make up for it."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ClassStatistics:
    """How often each class occurs.

    Args:
        pixels: Pixels of each class.
        images: Masks in which each class occurs.
        pixels_beside: All pixels, those ignored too, of the masks with the class.
        ignored: Pixels of the ignored label.
    """

    pixels: tuple[int, ...]
    images: tuple[int, ...]
    pixels_beside: tuple[int, ...]
    ignored: int

    @classmethod
    def of(cls, masks: Sequence[np.ndarray[Any, Any]]) -> "ClassStatistics":
        """Adds masks up.

        Args:
            masks: For each, the pixels of each class, and last those ignored:
                int64, `(classes + 1,)`.

        Returns:
            The statistics.
        """
        table = np.stack(masks)
        pixels = table[:, :-1]
        occurs = pixels > 0
        return cls(
            tuple(pixels.sum(axis=0).tolist()),
            tuple(occurs.sum(axis=0).tolist()),
            tuple((occurs * table.sum(axis=1)[:, None]).sum(axis=0).tolist()),
            int(table[:, -1].sum()),
        )

    @property
    def frequency(self) -> tuple[float, ...]:
        """Share of each class of the pixels that count; they add up to 1, or are 0."""
        total = max(sum(self.pixels), 1)
        return tuple(count / total for count in self.pixels)

    @property
    def ignored_share(self) -> float:
        """Share of the ignored label of all pixels."""
        return self.ignored / max(sum(self.pixels) + self.ignored, 1)

    @property
    def median_weights(self) -> tuple[float, ...]:
        """Weights by median frequency balancing, 0 for a class that never occurs.

        The median of all classes' frequencies over the class's own, where a frequency
        is taken in the images that hold the class: Eigen and Fergus, section 6.3.2
        (https://arxiv.org/abs/1411.4734).
        """
        shares = [
            own / beside if own else 0.0
            for own, beside in zip(self.pixels, self.pixels_beside, strict=True)
        ]
        present = [share for share in shares if share]
        median = statistics.median(present) if present else 0.0
        return tuple(median / share if share else 0.0 for share in shares)

    @property
    def sqrt_weights(self) -> tuple[float, ...]:
        """The square roots of `median_weights`, which are gentler on rare classes."""
        return tuple(math.sqrt(weight) for weight in self.median_weights)
