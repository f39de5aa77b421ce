"""Tells which model official variables are of, from their names and shapes."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from keras_deeplab._class_names import CLASS_NAMES
from keras_deeplab.models import LRASPP, DeepLabV3, DeepLabV3Plus, Segmenter
from keras_deeplab.weights.official_variables import OfficialVariables

# A variable that only this backbone has, the deeper one of two first.
_BACKBONES: Mapping[str, str] = MappingProxyType(
    {
        "xception_41/entry_flow/conv1_1/weights": "xception41",
        "xception_65/entry_flow/conv1_1/weights": "xception65",
        "xception_71/entry_flow/conv1_1/weights": "xception71",
        "resnet_v1_50/conv1_1/weights": "resnet50_beta",
        "resnet_v1_101/conv1_1/weights": "resnet101_beta",
        "MobilenetV3/expanded_conv_14/project/weights": "mobilenet_v3_large",
        "MobilenetV3/expanded_conv_10/project/weights": "mobilenet_v3_small",
        "MobilenetV2/Conv/weights": "mobilenet_v2",
    }
)
_HEADS: Mapping[str, type[Segmenter]] = MappingProxyType(
    {
        # Only where the decoder's outputs are the logits does it have biases.
        "decoder/decoder_conv0/biases": LRASPP,
        "decoder/feature_projection0/weights": DeepLabV3Plus,
        "logits/semantic/weights": DeepLabV3,
    }
)
# What else the official code can build.
_UNKNOWN: Mapping[str, str] = MappingProxyType(
    {
        "resnet_v1_50/conv1/": "a plain ResNet, not the beta layout",
        "resnet_v1_101/conv1/": "a plain ResNet, not the beta layout",
    }
)
_MIDDLE_UNIT = re.compile(r"xception_\d+/middle_flow/block1/unit_(\d+)/.*")
_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
# The largest network that a file can ask for: twice and more what any official one is.
_MAX_CHANNELS = 1024
_MAX_UNITS = 32

# Output stride and crop of the official evaluation, where a file does not say.
_OUTPUT_STRIDES: Mapping[type, int] = MappingProxyType({LRASPP: 32})
_OUTPUT_STRIDE = 16
_CROPS: Mapping[int, int] = MappingProxyType({19: 769})
_CROP = 513

# The official data sets differ in how many classes they have.
_CLASS_NAMES: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        len(CLASS_NAMES[name]): CLASS_NAMES[name]
        for name in ("ade20k_with_background", "cityscapes", "pascal_voc")
    }
)


def official_arguments(
    variables: OfficialVariables,
) -> tuple[type[Segmenter], dict[str, Any]]:
    """Recognises an official model.

    Args:
        variables: What a file holds.

    Returns:
        The class of our model, and its arguments.

    Raises:
        ValueError: If they are of no model that this package has.
    """
    for start, what in _UNKNOWN.items():
        if any(name.startswith(start) for name in variables.shapes):
            raise variables.error(f"it has {what}")
    backbone = _first(variables, _BACKBONES, "a backbone")
    head = "a segmentation head (`load_official` takes a backbone alone)"
    cls = _first(variables, _HEADS, head)
    if cls is not DeepLabV3Plus and _has_cell(variables):
        raise variables.error("it has a dense prediction cell, but no decoder of V3+")
    return cls, {
        "backbone": backbone,
        **_backbone_options(variables, backbone),
        **_ARGUMENTS[cls](variables),
        **_frame(variables, cls),
    }


def _has_cell(variables: OfficialVariables) -> bool:
    return any(name.startswith("meta_architecture/") for name in variables.shapes)


def _first(variables: OfficialVariables, table: Mapping[str, Any], what: str) -> Any:
    for name, found in table.items():
        if name in variables.shapes:
            return found
    raise variables.error(f"it has no variable of {what}, such as {', '.join(table)}")


def _backbone_options(variables: OfficialVariables, backbone: str) -> dict[str, Any]:
    if backbone == "mobilenet_v2":
        return {"alpha": _alpha(variables)}
    matches = [_MIDDLE_UNIT.fullmatch(name) for name in variables.shapes]
    units = [int(match[1]) for match in matches if match]
    if units and max(units) > _MAX_UNITS:
        raise variables.error(f"it has {max(units)} units in its middle flow")
    return {"middle_units": max(units)} if units else {}


def _alpha(variables: OfficialVariables) -> float:
    filters = _channels(variables, "MobilenetV2/Conv/weights")
    for alpha in _ALPHAS:
        # The official code rounds the stem's 32 filters half up.
        if int(32 * alpha + 0.5) == filters:
            return alpha
    raise variables.error(f"its first convolution has {filters} filters")


def _pyramid(variables: OfficialVariables) -> dict[str, Any]:
    names = variables.shapes.keys()
    separable = "aspp1_depthwise/depthwise_weights" in names
    branch = "aspp{}_pointwise/weights" if separable else "aspp{}/weights"
    branches = sum(branch.format(index) in names for index in (1, 2, 3))
    if branches not in (0, 3):
        raise variables.error(f"its pyramid has {branches} atrous branches, not 3 or 0")
    return {
        "atrous_rates": None if branches else (),
        "separable": separable,
        "image_pooling": "image_pooling/weights" in names,
        "filters": _channels(variables, "aspp0/weights"),
    }


def _cell(variables: OfficialVariables) -> dict[str, Any]:
    scope = "meta_architecture/concat_projection"
    return {"pyramid": "dpc", "filters": _channels(variables, f"{scope}/weights")}


def _decoder(variables: OfficialVariables) -> dict[str, Any]:
    separable = "decoder/decoder_conv1_pointwise/weights" in variables.shapes
    last = "decoder_conv1_pointwise" if separable else "decoder_conv0/decoder_conv0_2"
    pyramid = _cell if _has_cell(variables) else _pyramid
    return {
        **pyramid(variables),
        # Without atrous branches only the decoder can be separable.
        "separable": separable,
        "low_level_filters": _channels(
            variables, "decoder/feature_projection0/weights"
        ),
        "decoder_filters": _channels(variables, f"decoder/{last}/weights"),
    }


def _lite(variables: OfficialVariables) -> dict[str, Any]:
    return {
        "filters": _channels(variables, "aspp0/weights"),
        "pooling_strides": variables.pooling_strides,
    }


_ARGUMENTS: Mapping[type, Callable[[OfficialVariables], dict[str, Any]]]
_ARGUMENTS = MappingProxyType(
    {DeepLabV3: _pyramid, DeepLabV3Plus: _decoder, LRASPP: _lite}
)


def _frame(variables: OfficialVariables, cls: type) -> dict[str, Any]:
    """Arguments that depend on classes and sizes."""
    scope = "decoder/decoder_conv0" if cls is LRASPP else "logits/semantic"
    classes = _channels(variables, f"{scope}/weights")
    stride = variables.output_stride or _OUTPUT_STRIDES.get(cls, _OUTPUT_STRIDE)
    crop: Any = _CROPS.get(classes, _CROP)
    if variables.pooling_window is not None:
        crop = tuple((side - 1) * stride + 1 for side in variables.pooling_window)
    return {
        "classes": classes,
        "class_names": _CLASS_NAMES.get(classes),
        "output_stride": stride,
        "crop_size": crop,
    }


def _channels(variables: OfficialVariables, name: str) -> int:
    """Output channels of a convolution, in bounds before anything is built."""
    shape = variables.shapes.get(name, ())
    if len(shape) != 4:
        raise variables.error(f"variable {name!r} of four dimensions is missing")
    if not 0 < shape[-1] <= _MAX_CHANNELS:
        raise variables.error(f"variable {name!r} has {shape[-1]} channels")
    return shape[-1]
