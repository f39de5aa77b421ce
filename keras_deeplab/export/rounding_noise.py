"""Which convolutions lose too much to be computed in 8 bits."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from keras_deeplab.export.tflite_file import operator_code, read_model

# Of a convolution's own range: what the rounding of its inputs may add, as a standard
# deviation over its channels. The first depthwise convolution of the official
# MobileNetV2 has 2.9 %, for weights of up to 65, and no other of its layers 0.8 %.
_MOST_NOISE = 0.02
_STEPS = 255

_CONV = schema.BuiltinOperator.CONV_2D
_DEPTHWISE = schema.BuiltinOperator.DEPTHWISE_CONV_2D
# Axes of a kernel that are summed over; the others are output channels.
_SUMMED = {_CONV: (1, 2, 3), _DEPTHWISE: (0, 1, 2)}


def noisy_nodes(calibrated: bytes, most_noise: float = _MOST_NOISE) -> list[str]:
    """Names the convolutions that should stay float, with those around them.

    An input in 8 bits is wrong by up to half a step. A convolution of large weights
    makes much of that where its output is small, or cut off. It is left in float,
    with what computes its input and what reads its output, so that neither is rounded.

    Args:
        calibrated: A float TFLite file whose tensors have ranges.
        most_noise: The standard deviation of the rounding in the output, as a share of
            the output's range, above which a convolution is left.

    Returns:
        Names of their outputs.
    """
    model = read_model(calibrated)
    graph = model.subgraphs[0]
    noisy = [
        operator
        for operator in graph.operators
        if operator_code(model, operator) in _SUMMED
        and (_noise(model, graph, operator) or 0) > most_noise
    ]
    kept = {
        _name(graph, other)
        for operator in noisy
        for other in _around(graph, operator)
        if operator_code(model, other) in _SUMMED
    }
    return sorted(kept)


def _noise(model: Any, graph: Any, operator: Any) -> float | None:
    source, kernel = (graph.tensors[index] for index in operator.inputs[:2])
    span, out_span = _span(source), _span(graph.tensors[operator.outputs[0]])
    data = model.buffers[kernel.buffer].data
    if not span or not out_span or data is None or len(data) == 0:
        return None
    weights = np.frombuffer(bytes(data), "<f4").reshape(kernel.shape)
    squares = np.square(weights).sum(axis=_SUMMED[operator_code(model, operator)])
    # Uniform over a step of the input, independent from pixel to pixel.
    variance = (span / _STEPS) ** 2 / 12 * squares
    return float(np.sqrt(variance.mean())) / out_span


def _span(tensor: Any) -> float | None:
    ranges = tensor.quantization
    if ranges is None or ranges.min is None or len(ranges.min) != 1:
        return None
    return float(ranges.max[0] - ranges.min[0])


def _around(graph: Any, operator: Any) -> Iterator[Any]:
    for other in graph.operators:
        before = operator.inputs[0] in other.outputs
        behind = operator.outputs[0] in other.inputs
        if before or behind or other is operator:
            yield other


def _name(graph: Any, operator: Any) -> str:
    return graph.tensors[operator.outputs[0]].name.decode()
