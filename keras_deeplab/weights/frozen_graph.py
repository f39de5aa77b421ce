"""Reads the variables of a frozen TensorFlow 1 graph: its constants.

Nothing of the graph is run. Of a constant its name, type, shape and numbers are read;
of strided operations their strides, which tell the output stride.
"""

import functools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_deeplab.backbones import OUTPUT_STRIDES
from keras_deeplab.weights.folded_conv import Array
from keras_deeplab.weights.need_tensorflow import need_tensorflow
from keras_deeplab.weights.official_variables import OfficialVariables, source_error

# Protocol buffers end here; the largest official graph has a tenth of it.
_MAX_BYTES = 2**31 - 1
# No official variable has more dimensions, and no official window more positions.
_MAX_RANK = 4
_MAX_WINDOW = 4096
_FLOAT = 1

# How freezing leaves a variable: a constant, which an identity of this name reads.
_READER = "/read"
_NAMES = (
    "weights",
    "depthwise_weights",
    "biases",
    "gamma",
    "beta",
    "moving_mean",
    "moving_variance",
)
_STRIDED = ("Conv2D", "DepthwiseConv2dNative", "MaxPool")
_BACKBONES = ("xception_", "resnet_v1_", "MobilenetV2/", "MobilenetV3/")


def read_frozen_graph(path: Path) -> OfficialVariables:
    """Reads the constants of a frozen graph that were variables.

    Args:
        path: A `.pb` file, such as `frozen_inference_graph.pb`.

    Returns:
        The variables, with output stride and pooling window.

    Raises:
        ValueError: If the file is no frozen graph, or is damaged.
    """
    graph = _parse(path)
    constants = _constants(graph)
    shapes = {name: _shape(path, node) for name, node in constants.items()}
    window, strides = _pooling(path, graph)
    return OfficialVariables(
        source=str(path),
        shapes=shapes,
        read=functools.partial(_read, path, constants, shapes),
        output_stride=_output_stride(path, graph),
        pooling_window=window,
        pooling_strides=strides,
    )


def _parse(path: Path) -> Any:
    # Only this needs TensorFlow: models that run on another backend come here too.
    need_tensorflow(path)
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tensorflow.core.framework import graph_pb2

    if not path.is_file():
        raise source_error(path, "there is no such file")
    if path.stat().st_size > _MAX_BYTES:
        raise source_error(path, "it is larger than a graph can be")
    graph = graph_pb2.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except (DecodeError, RecursionError) as error:
        raise source_error(path, f"it is no graph, or damaged ({error})") from error
    return graph


def _constants(graph: Any) -> dict[str, Any]:
    """Constants that were variables, by name."""
    read = {node.name for node in graph.node if node.op == "Identity"}
    return {
        node.name: node
        for node in graph.node
        if node.op == "Const"
        and (node.name + _READER in read or node.name.rpartition("/")[2] in _NAMES)
    }


def _shape(path: Path, node: Any) -> tuple[int, ...]:
    shape = node.attr["value"].tensor.tensor_shape
    sides = tuple(dim.size for dim in shape.dim)
    if shape.unknown_rank or len(sides) > _MAX_RANK or min(sides, default=0) < 0:
        raise source_error(path, f"constant {node.name!r} has no usable shape")
    return sides


def _read(
    path: Path,
    constants: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
    name: str,
) -> Array:
    tensor = constants[name].attr["value"].tensor
    if tensor.dtype != _FLOAT:
        raise source_error(path, f"constant {name!r} is not of float32")
    values = np.asarray(tensor.float_val, "<f4")
    if tensor.tensor_content:
        content = tensor.tensor_content
        values = np.frombuffer(content[: len(content) // 4 * 4], "<f4")
    count = math.prod(shapes[name])
    if 0 < len(values) < count and not tensor.tensor_content:
        # TensorFlow leaves repetitions of the last number out.
        values = np.pad(values, (0, count - len(values)), mode="edge")
    if len(values) != count:
        raise source_error(
            path, f"constant {name!r} has {len(values)} numbers, not {count}"
        )
    return values.reshape(shapes[name]).astype("float32")


def _output_stride(path: Path, graph: Any) -> int | None:
    """Product of the strides on the way through the backbone."""
    product = 0
    for node in graph.node:
        inside = node.name.startswith(_BACKBONES) and "/shortcut" not in node.name
        if inside and node.op in _STRIDED:
            product = max(product, 1) * max(_sides(path, node, "strides"))
        if product > max(OUTPUT_STRIDES):
            break
    if product and product not in OUTPUT_STRIDES:
        raise source_error(path, f"its strides multiply to {product} or more")
    return product or None


def _pooling(
    path: Path, graph: Any
) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Window and strides of the one average pooling behind the backbone."""
    found = list(_pools(graph))
    if len(found) != 1:
        return None, None
    return _sides(path, found[0], "ksize"), _sides(path, found[0], "strides")


def _pools(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        if node.op == "AvgPool" and not node.name.startswith(_BACKBONES):
            yield node


def _sides(path: Path, node: Any, attribute: str) -> tuple[int, int]:
    values = list(node.attr[attribute].list.i)
    if len(values) != 4 or not all(0 < value <= _MAX_WINDOW for value in values):
        raise source_error(path, f"{node.name!r} has no usable {attribute}")
    return values[1], values[2]
