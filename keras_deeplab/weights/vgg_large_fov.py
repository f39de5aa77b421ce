"""The fully connected layers of VGG-16 as the convolutions fc6 and fc7 of DeepLab.

Every third tap along each side of the `7 x 7` window and, where there are fewer
filters, evenly spaced ones: at the rate of the paper the taps read the same features
as in VGG-16, the others being left out.

References:
    - [Chen et al., 2014](https://arxiv.org/abs/1412.7062), section 3.1 for the
      decimation, section 5 for `3 x 3` taps and 1024 filters
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import keras
import numpy as np

from keras_deeplab.weights.folded_conv import Array
from keras_deeplab.weights.official_variables import OfficialVariables

_WINDOW, _STEP = 7, 3
# What VGG-16 has: more is no file of it, and nothing to reserve memory for.
_MOST_UNITS = 4096
# V2 has a pair for each rate, and all start alike.
_PATH = re.compile(r"(?:aspp/)?fc([67])(?:_\d+)?/conv/(kernel|bias)")


def sample_units(units: int, filters: int) -> Array:
    """Chooses the units that are kept: every fourth for 1024 of 4096.

    Args:
        units: Units of the fully connected layer.
        filters: How many to keep, at most `units`.

    Returns:
        Their indices, evenly spaced, the first 0, shape `(filters,)`.
    """
    return np.arange(filters) * units // filters


def sample_fc6(kernel: Array, filters: int) -> Array:
    """Makes the kernel of fc6.

    Args:
        kernel: That of the first fully connected layer, `(49 * channels, units)`, its
            rows by height, width and channel of the `7 x 7` map.
        filters: Filters to keep, at most `units`.

    Returns:
        Taps 0, 3 and 6 along each side, shape `(3, 3, channels, filters)`.
    """
    window = kernel.reshape(_WINDOW, _WINDOW, -1, kernel.shape[-1])
    return window[::_STEP, ::_STEP][..., sample_units(kernel.shape[-1], filters)]


def sample_fc7(kernel: Array, filters: int) -> Array:
    """Makes the kernel of fc7, which reads the filters that fc6 kept.

    Args:
        kernel: That of the second fully connected layer, `(units, units)`.
        filters: Filters to keep, at most `units`.

    Returns:
        A kernel of shape `(1, 1, filters, filters)`.
    """
    units = sample_units(len(kernel), filters)
    return kernel[np.ix_(units, units)][np.newaxis, np.newaxis]


def _sample_bias(bias: Array, filters: int) -> Array:
    return bias[sample_units(len(bias), filters)]


SAMPLERS: Mapping[str, Callable[[Array, int], Array]] = MappingProxyType(
    {
        "fc1/kernel": sample_fc6,
        "fc1/bias": _sample_bias,
        "fc2/kernel": sample_fc7,
        "fc2/bias": _sample_bias,
    }
)


def large_fov_weights(model: keras.Model) -> dict[str, list[keras.Variable]]:
    """Finds the weights of fc6 and fc7.

    Args:
        model: Any model.

    Returns:
        The weights by the names of VGG-16's arrays; nothing if it has no such layers.
    """
    found: dict[str, list[keras.Variable]] = {}
    for weight in model.weights:
        if match := _PATH.fullmatch(weight.path):
            found.setdefault(f"fc{int(match[1]) - 5}/{match[2]}", []).append(weight)
    return found


def check_large_fov(
    variables: OfficialVariables, weights: Mapping[str, list[keras.Variable]]
) -> None:
    """Compares the shapes of VGG-16's fully connected layers with fc6 and fc7.

    Args:
        variables: The arrays of a file.
        weights: See `large_fov_weights`.

    Raises:
        ValueError: If an array is missing or has a shape that does not fit.
    """
    for name in sorted(weights.keys() - variables.shapes.keys()):
        raise variables.error(f"variable {name!r} is missing")
    *_, channels, filters = weights["fc1/kernel"][0].shape
    units = variables.shapes["fc1/kernel"][-1:]
    if not units or not filters <= units[0] <= _MOST_UNITS:
        raise variables.error(
            f"variable 'fc1/kernel' has the shape {variables.shapes['fc1/kernel']}, "
            f"and the model's fc6 takes {filters} to {_MOST_UNITS} units"
        )
    expected = {
        "fc1/kernel": (_WINDOW**2 * channels, *units),
        "fc1/bias": units,
        "fc2/kernel": (*units, *units),
        "fc2/bias": units,
    }
    for name, shape in expected.items():
        if variables.shapes[name] != shape:
            raise variables.error(
                f"variable {name!r} has the shape {variables.shapes[name]}, not {shape}"
            )
