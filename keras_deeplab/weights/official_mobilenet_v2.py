"""Rebuilds the official MobileNetV2 models: no atrous branches, no decoder."""

import math
import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_deeplab._class_names import CLASS_NAMES
from keras_deeplab.backbones import OUTPUT_STRIDES
from keras_deeplab.models import DeepLabV3
from keras_deeplab.weights.folded_conv import FoldedConv, folded_slots, settings_of
from keras_deeplab.weights.folded_graph import IMAGE, OUTPUT, POOL, FoldedGraph

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
            settings or inputs than in the official network; the message names it.
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
            raise ValueError(f"the convolution of layer {path!r} is missing")
        raise ValueError(f"{layers[path]!r} has no place in it")
    for path, scope in layers.items():
        conv = graph.convolutions[scope]
        _check_settings(conv, scope, slots[path])
        conv.assign_to(slots[path])
    _check_wiring(graph, model, layers)
    return model


def _by_layer(graph: FoldedGraph) -> dict[str, str]:
    """Paths of our layers to the scopes of the graph's convolutions."""
    layers = {}
    for scope, conv in graph.convolutions.items():
        _check_arrays(conv)
        if match := _BOTTLENECK.fullmatch(scope):
            layers[f"{match[1]}_{match[2]}"] = scope
        elif scope in _HEAD:
            layers[_HEAD[scope]] = scope
        else:
            raise ValueError(f"{scope!r} has no place in it")
    for scope, path in _HEAD.items():
        if path not in layers:
            raise ValueError(f"the convolution {scope!r} is missing")
    return layers


def _check_arrays(conv: FoldedConv) -> None:
    arrays = ((conv.kernel_name, conv.kernel, 4), (conv.bias_name, conv.bias, 1))
    for name, array, rank in arrays:
        if array.ndim != rank or not array.size:
            raise ValueError(f"array {name!r} has shape {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"array {name!r} has numbers that are not finite")


def _alpha(graph: FoldedGraph) -> float:
    filters = graph.convolutions["MobilenetV2/Conv"].kernel.shape[0]
    for alpha in _ALPHAS:
        # The official code rounds the stem's 32 filters half up.
        if int(32 * alpha + 0.5) == filters:
            return alpha
    raise ValueError(f"its first convolution has {filters} filters, of no known width")


def _sizes(graph: FoldedGraph) -> dict[str, Any]:
    """Arguments that depend on the input: its size, output stride, crop, names."""
    classes = len(graph.convolutions["logits/semantic"].bias)
    names = (
        CLASS_NAMES["pascal_voc"] if graph.class_names is None else graph.class_names
    )
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
    settings = [conv.settings for conv in graph.convolutions.values()]
    stride = math.prod(step.strides for step in settings if step is not None)
    if None in settings:
        return _OUTPUT_STRIDE
    if stride not in OUTPUT_STRIDES:
        raise ValueError(f"its strides multiply to {stride}, not to 8, 16 or 32")
    return stride


def _check_settings(conv: FoldedConv, scope: str, layer: keras.layers.Layer) -> None:
    expected = settings_of(layer)
    if conv.settings is not None and conv.settings != expected:
        raise ValueError(
            f"{scope!r} has {conv.settings}, where the official network has {expected}"
        )


def _check_wiring(
    graph: FoldedGraph, model: DeepLabV3, layers: Mapping[str, str]
) -> None:
    if graph.inputs is None:
        return
    window = model.get_layer("aspp").image_pooling_window
    if graph.pooling_window != window:
        raise ValueError(f"it pools over {graph.pooling_window}, not over {window}")
    for scope, expected in _wiring(model, layers).items():
        if graph.inputs[scope] != expected:
            raise ValueError(
                f"{scope!r} reads {graph.inputs[scope]}, where the official network "
                f"reads {expected}"
            )


def _wiring(model: DeepLabV3, layers: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What each scope reads in the official network, as in `FoldedGraph.inputs`."""
    wiring: dict[str, tuple[str, ...]] = {}
    features: tuple[str, ...] = (IMAGE,)
    shortcut = features
    # A functional model has its layers in the order of their depth.
    for layer in model.layers:
        if layer.name == "aspp":
            break
        if isinstance(layer, keras.layers.Add):
            features = tuple(sorted({*features, *shortcut}))
        elif layer.name in layers:
            scope = layers[layer.name]
            if scope.endswith("/expand"):
                shortcut = features
            wiring[scope] = features
            features = (scope,)
    return wiring | {
        "image_pooling": (POOL, *features),
        "aspp0": features,
        "concat_projection": ("image_pooling", "aspp0"),
        "logits/semantic": ("concat_projection",),
        OUTPUT: ("logits/semantic",),
    }
