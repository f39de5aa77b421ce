"""Rebuilds the official MobileNetV2 models: no atrous branches, no decoder."""

import re
from collections.abc import Mapping
from typing import Any

from keras_deeplab.backbones import OUTPUT_STRIDES
from keras_deeplab.layers.base_atrous_conv import BaseAtrousConv
from keras_deeplab.layers.conv_block import ConvBlock
from keras_deeplab.models import DeepLabV3
from keras_deeplab.weights.class_names import PASCAL_VOC
from keras_deeplab.weights.folded_conv import folded_slots
from keras_deeplab.weights.folded_graph import FoldedGraph

_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)

# Official scope to the path of our layer.
_HEAD: Mapping[str, str] = {
    "MobilenetV2/Conv": "conv",
    "image_pooling": "aspp/image_pooling/projection",
    "aspp0": "aspp/rate_0",
    "concat_projection": "aspp/projection",
    "logits/semantic": "logits",
}
_BOTTLENECK = re.compile(
    r"MobilenetV2/(expanded_conv(?:_\d+)?)/(expand|depthwise|project)"
)

# The crop that the published models were trained on, where a file does not say.
_CROP = 513
# The published graphs were frozen at this output stride.
_OUTPUT_STRIDE = 8


def build_mobilenet_v2(graph: FoldedGraph) -> DeepLabV3:
    """Builds the model that a graph's convolutions belong to, with their weights.

    Args:
        graph: What a file holds.

    Returns:
        A model whose answers are the official ones.

    Raises:
        ValueError: If a convolution is missing, has no place, or has another shape,
            stride or rate than the official network; the message names it.
    """
    layers = _by_layer(graph)
    model = DeepLabV3(
        "mobilenet_v2",
        atrous_rates=(),
        alpha=_alpha(graph),
        **_sizes(graph),
    )
    slots = folded_slots(model)
    for path in sorted(slots.keys() ^ layers.keys()):
        if path in slots:
            raise graph.error(f"the convolution of layer {path!r} is missing")
        raise graph.error(f"{layers[path]!r} has no place in it")
    for path, scope in layers.items():
        conv = graph.convolutions[scope]
        _check_step(graph, scope, slots[path])
        try:
            conv.assign_to(slots[path])
        except ValueError as error:
            raise graph.error(str(error)) from error
    return model


def _by_layer(graph: FoldedGraph) -> dict[str, str]:
    """Paths of our layers to the scopes of the graph's convolutions."""
    layers = {}
    for scope in graph.convolutions:
        if match := _BOTTLENECK.fullmatch(scope):
            layers[f"{match[1]}_{match[2]}"] = scope
        elif scope in _HEAD:
            layers[_HEAD[scope]] = scope
        else:
            raise graph.error(f"{scope!r} has no place in it")
    for scope, path in _HEAD.items():
        if path not in layers:
            raise graph.error(f"the convolution {scope!r} is missing")
    return layers


def _alpha(graph: FoldedGraph) -> float:
    filters = graph.convolutions["MobilenetV2/Conv"].kernel.shape[0]
    for alpha in _ALPHAS:
        # The official code rounds the stem's 32 filters half up at these widths.
        if int(32 * alpha + 0.5) == filters or 8 * round(32 * alpha / 8) == filters:
            return alpha
    raise graph.error(f"its first convolution has {filters} filters, of no known width")


def _sizes(graph: FoldedGraph) -> dict[str, Any]:
    """Arguments that depend on the input: its size, output stride, crop, names."""
    classes = len(graph.convolutions["logits/semantic"].bias)
    names = graph.class_names or PASCAL_VOC
    sizes: dict[str, Any] = {
        "classes": classes,
        "output_stride": _output_stride(graph),
        "class_names": names if len(names) == classes else None,
        "crop_size": _CROP,
    }
    if graph.input_size is not None:
        # A graph of fixed size: photos are stretched to it, as its authors do.
        sizes["input_shape"] = (*graph.input_size, 3)
        sizes["crop_size"] = graph.input_size
        sizes["resize_mode"] = "stretch"
    return sizes


def _output_stride(graph: FoldedGraph) -> int:
    product = 1
    for conv in graph.convolutions.values():
        if conv.strides is None:
            return _OUTPUT_STRIDE
        product *= conv.strides
    if product not in OUTPUT_STRIDES:
        raise graph.error(f"its strides multiply to {product}, not to 8, 16 or 32")
    return product


def _check_step(graph: FoldedGraph, scope: str, layer: object) -> None:
    conv = graph.convolutions[scope]
    if conv.strides is None:
        return
    step = layer.steps[0] if isinstance(layer, ConvBlock) else layer
    if not isinstance(step, BaseAtrousConv):
        raise graph.error(f"{scope!r} has no place in it")
    expected = (step.strides, step.rate)
    if (conv.strides, conv.rate) != expected:
        raise graph.error(
            f"{scope!r} has stride {conv.strides} and rate {conv.rate}, where the "
            f"official network has {expected[0]} and {expected[1]}"
        )
