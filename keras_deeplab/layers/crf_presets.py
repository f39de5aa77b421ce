"""Published parameters of the fully connected CRF."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

from keras_deeplab.layers import arguments

# Where the unary energies end: a label under it can still win.
SMALLEST_PROBABILITY = 1e-5
_NARROWEST_COLOR = 0.05


def _color_width(**value: float) -> float:
    ((name, given),) = value.items()
    width = arguments.above_zero(**value)
    # Colours are whole numbers: a narrower kernel sees equal ones alone.
    if width < _NARROWEST_COLOR:
        raise ValueError(
            f"`{name}` must be at least {_NARROWEST_COLOR}. Received: {name}={given!r}"
        )
    return width


@dataclasses.dataclass(frozen=True, kw_only=True)
class CRFParameters:
    """Weights and widths of the two terms, and the number of mean-field steps.

    Args:
        w_bilateral: Weight of the term of place and colour.
        theta_alpha: Its width in place, in pixels.
        theta_beta: Its width in colour, in steps of 0 to 255.
        w_gaussian: Weight of the term of place alone.
        theta_gamma: Its width, in pixels.
        iterations: Mean-field steps.
    """

    w_bilateral: float
    theta_alpha: float
    theta_beta: float
    w_gaussian: float
    theta_gamma: float
    iterations: int

    def checked(self) -> Self:
        """Returns these parameters as plain numbers, or raises `ValueError`."""
        return type(self)(
            w_bilateral=arguments.not_negative(w_bilateral=self.w_bilateral),
            theta_alpha=arguments.above_zero(theta_alpha=self.theta_alpha),
            theta_beta=_color_width(theta_beta=self.theta_beta),
            w_gaussian=arguments.not_negative(w_gaussian=self.w_gaussian),
            theta_gamma=arguments.above_zero(theta_gamma=self.theta_gamma),
            iterations=arguments.positive(iterations=self.iterations),
        )


#: Published parameters by name: `preset` of `DenseCRF`.
CRF_PRESETS: Mapping[str, CRFParameters] = MappingProxyType(
    {
        # The released VGG-16 model of V1, LargeFOV.
        "v1": CRFParameters(
            w_bilateral=4.0,
            theta_alpha=49.0,
            theta_beta=5.0,
            w_gaussian=3.0,
            theta_gamma=3.0,
            iterations=10,
        ),
        # ResNet-101 of V2.
        "v2": CRFParameters(
            w_bilateral=4.0,
            theta_alpha=67.0,
            theta_beta=3.0,
            w_gaussian=3.0,
            theta_gamma=1.0,
            iterations=10,
        ),
        # The example of the reference library.
        "pydensecrf": CRFParameters(
            w_bilateral=10.0,
            theta_alpha=80.0,
            theta_beta=13.0,
            w_gaussian=3.0,
            theta_gamma=3.0,
            iterations=5,
        ),
    }
)
