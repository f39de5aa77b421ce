"""Multiply-adds of the convolutions of a TensorFlow graph, counted from its operations.

As in the papers: convolutions alone, each multiply-add once. PyTorch's are counted by
the same rule in `smp.py`.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def count(run: Callable[[Any], Any], shape: Sequence[int]) -> int:
    """Traces a function of one tensor of a known shape, and counts."""
    traced = tf.function(run).get_concrete_function(tf.TensorSpec(shape))
    return sum(map(_of_operation, _needed(traced.graph)))


def _needed(graph: Any) -> set[Any]:
    """What the outputs depend on: TensorFlow does not run the rest.

    Model Garden's MobileNetV2 ends with a layer for the classification of images.
    """
    needed: set[Any] = set()
    waiting = [tensor.op for tensor in graph.outputs]
    while waiting:
        operation = waiting.pop()
        if operation not in needed:
            needed.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
    return needed


def _of_operation(operation: Any) -> int:
    if operation.type not in ("Conv2D", "DepthwiseConv2dNative"):
        return 0
    height, width, channels, _ = operation.inputs[1].shape
    taps = height * width * (channels if operation.type == "Conv2D" else 1)
    return math.prod(_outputs(operation).shape) * taps


def _outputs(operation: Any) -> Any:
    """What the convolution is for: an atrous one runs between two reshapings.

    These pad the map to whole blocks, which is how it is computed, not what it is.
    """
    (outputs,) = operation.outputs
    for consumer in outputs.consumers():
        if consumer.type == "BatchToSpaceND":
            return consumer.outputs[0]
    return outputs
