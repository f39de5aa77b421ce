"""Where the papers looked for the parameters of their CRF."""

import dataclasses
import itertools
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from keras_deeplab.layers.crf_presets import CRFParameters

#: First value, last value and step.
Range = tuple[float, float, float]

_SEARCHED = ("w_bilateral", "theta_alpha", "theta_beta")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CRFRanges:
    """The values to try.

    Args:
        w_bilateral: First, last and step of the bilateral term's weight.
        theta_alpha: The same of its width in pixels.
        theta_beta: The same of its width in colour.
        w_gaussian: Weight of the position term.
        theta_gamma: Its width.
        iterations: Mean-field steps.
    """

    w_bilateral: Range
    theta_alpha: Range
    theta_beta: Range
    w_gaussian: float = 3.0
    theta_gamma: float = 3.0
    iterations: int = 10

    def first_round(self, step: float) -> tuple[CRFParameters, ...]:
        """Returns parameters over the whole ranges.

        Args:
            step: Distance of the values, in steps of the ranges.
        """
        axes = {}
        for name in _SEARCHED:
            first, last, distance = getattr(self, name)
            axes[name] = _values(first, last, step * distance)
        return self._cells(axes)

    def around(self, center: CRFParameters, step: float) -> tuple[CRFParameters, ...]:
        """Returns parameters up to one step from others, which may leave the ranges.

        Args:
            center: The others.
            step: The distance, in steps of the ranges.
        """
        axes = {}
        for name in _SEARCHED:
            value, distance = getattr(center, name), step * getattr(self, name)[2]
            near = (value - distance, value, value + distance)
            axes[name] = [each for each in near if each > 0]
        return self._cells(axes)

    def _cells(self, axes: Mapping[str, list[float]]) -> tuple[CRFParameters, ...]:
        return tuple(
            CRFParameters(
                **dict(zip(_SEARCHED, values, strict=True)),
                w_gaussian=self.w_gaussian,
                theta_gamma=self.theta_gamma,
                iterations=self.iterations,
            ).checked()
            for values in itertools.product(*(axes[name] for name in _SEARCHED))
        )


def _values(first: float, last: float, step: float) -> list[float]:
    return np.arange(first, last + step / 1e6, step).tolist()


#: Where `search_crf` looks, by the name of the preset.
CRF_RANGES: Mapping[str, CRFRanges] = MappingProxyType(
    {
        # Section 4 of the paper of V1.
        "v1": CRFRanges(
            w_bilateral=(5, 10, 1), theta_alpha=(50, 100, 10), theta_beta=(3, 10, 1)
        ),
        # That of V2, whose text says 3 for `theta_gamma`; its released file says 1.
        "v2": CRFRanges(
            w_bilateral=(3, 6, 1),
            theta_alpha=(30, 100, 10),
            theta_beta=(3, 6, 1),
            theta_gamma=1.0,
        ),
    }
)
