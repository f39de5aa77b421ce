"""Backbones: a variant is a row in a table."""

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import keras

from keras_deeplab._types import Shape
from keras_deeplab.backbones.mobilenet_v2 import MOBILENETS_V2
from keras_deeplab.backbones.mobilenet_v3 import MOBILENETS_V3
from keras_deeplab.backbones.options import checked_option as _checked_option
from keras_deeplab.backbones.resnet import RESNETS
from keras_deeplab.backbones.spec import LEVELS, BackboneSpec
from keras_deeplab.backbones.strides import OUTPUT_STRIDES, plan_strides
from keras_deeplab.backbones.vgg import VGGS
from keras_deeplab.backbones.xception import XCEPTIONS
from keras_deeplab.layers import arguments

__all__ = [
    "ALIASES",
    "BACKBONES",
    "LEVELS",
    "OUTPUT_STRIDES",
    "BackboneSpec",
    "build_backbone",
    "canonical_name",
    "get_backbone",
    "plan_strides",
]

#: All backbones by name.
BACKBONES: Mapping[str, BackboneSpec] = MappingProxyType(
    {**MOBILENETS_V2, **MOBILENETS_V3, **RESNETS, **VGGS, **XCEPTIONS}
)
#: Short names of backbones.
ALIASES: Mapping[str, str] = MappingProxyType({"xception": "xception65"})


def canonical_name(name: str) -> str:
    """Returns a backbone's own name, from it or from an alias.

    Args:
        name: A key of `BACKBONES` or of `ALIASES`.

    Returns:
        A key of `BACKBONES`.

    Raises:
        ValueError: If there is no such backbone; the message names the nearest.
    """
    # What cannot be a key, such as a list, is no backbone either.
    found = ALIASES.get(name, name) if isinstance(name, str) else ""
    if found not in BACKBONES:
        near = difflib.get_close_matches(str(name), BACKBONES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"Unknown `backbone`. Choose one of: {', '.join(sorted(BACKBONES))}.{hint} "
            f"Received: backbone={name!r}"
        )
    return found


def get_backbone(name: str, **options: Any) -> BackboneSpec:
    """Looks a backbone up and changes fields of its row.

    Args:
        name: A key of `BACKBONES` or of `ALIASES`.
        **options: Fields of the row to replace, for example `alpha=0.5` for a
            MobileNet or `multi_grid=(1, 2, 4)` for a ResNet.

    Returns:
        The row.

    Raises:
        ValueError: If there is no such backbone, or a value is out of range.
        TypeError: If the row has no such field.
    """
    spec = BACKBONES[canonical_name(name)]
    fields = {field.name: field for field in _options_of(spec)}
    unknown = sorted(options.keys() - fields.keys())
    if unknown:
        raise TypeError(
            f"Backbone {name!r} has no such option. It takes: "
            f"{', '.join(sorted(fields))}. Received: {', '.join(unknown)}"
        )
    values = {
        name: _checked_option(name, value, getattr(spec, name), fields[name].default)
        for name, value in options.items()
    }
    return dataclasses.replace(spec, **values)  # type: ignore[type-var]


def _options_of(spec: BackboneSpec) -> Iterator[dataclasses.Field[Any]]:
    """Fields that a configuration can hold: all but tables of other rows."""
    for field in dataclasses.fields(spec):  # type: ignore[arg-type]
        value = getattr(spec, field.name)
        if not (isinstance(value, tuple) and dataclasses.is_dataclass(value[0])):
            yield field


def build_backbone(
    name: str,
    *,
    output_stride: int = 16,
    input_shape: Shape = (None, None, 3),
    **options: Any,
) -> keras.Model:
    """Builds a backbone by itself, for features.

    Args:
        name: A key of `BACKBONES` or of `ALIASES`.
        output_stride: Input pixels a feature at the end: 8, 16 or 32.
        input_shape: Height, width and channels; height and width may be `None`.
        **options: Fields of the row to replace; see `get_backbone`.

    Returns:
        A model from preprocessed images to a dict of feature maps, `c2` to `c5`.

    Raises:
        ValueError: If there is no such backbone, or a value is out of range.
        TypeError: If the row has no such field.

    Examples:
        >>> model = keras_deeplab.backbones.build_backbone("mobilenet_v2", alpha=0.35)
        >>> tuple(model.output["c5"].shape)
        (None, None, None, 112)
    """
    arguments.check_channels_last()
    spec = get_backbone(name, **options)
    inputs = keras.Input(input_shape, name="image")
    features = dict(spec.features(inputs, output_stride))
    return keras.Model(inputs, features, name=canonical_name(name))
