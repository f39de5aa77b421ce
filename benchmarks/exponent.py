"""The power with which a cost grows, by least squares on logarithms."""

import dataclasses
import math
import statistics
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class PowerLaw:
    """`cost = factor * size ** exponent`, and how much of the growth that explains.

    Args:
        exponent: 1 for a cost in proportion, 0 for one that stays.
        factor: Cost at size 1.
        explained: Share of the variance of the logarithms, 1 if all points lie on the
            line; 1 too if they do not vary.
    """

    exponent: float
    factor: float
    explained: float

    def at(self, size: float) -> float:
        """The cost that the law gives."""
        return self.factor * size**self.exponent


def fit_power(sizes: Sequence[float], costs: Sequence[float]) -> PowerLaw:
    """Fits a power law to costs at two sizes or more, all above 0."""
    if len(set(sizes)) < 2 or min(*sizes, *costs) <= 0:
        raise ValueError(
            "`sizes` and `costs` must be above 0, and `sizes` two or more. "
            f"Received: sizes={sizes}, costs={costs}"
        )
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    slope, intercept = statistics.linear_regression(x, y)
    # Rounding alone may leave a trace of variance.
    varies = max(y) - min(y) > 1e-12
    explained = statistics.correlation(x, y) ** 2 if varies else 1.0
    return PowerLaw(slope, math.exp(intercept), explained)
