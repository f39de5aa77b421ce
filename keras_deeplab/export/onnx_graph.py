"""Changes to an ONNX graph: paddings in numbers, batch norms inside convolutions."""

import collections
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def spell_padding(graph: Any) -> None:
    """Writes the pads of convolutions that keep the size as numbers.

    Runtimes take `SAME_UPPER`, which stands there where the size is unknown, of
    convolutions at a rate of 1 alone.

    Args:
        graph: A `GraphProto`; it is changed.
    """
    import onnx

    for node in graph.node:
        found = {each.name: each for each in node.attribute}
        told = "auto_pad" in found and found["auto_pad"].s.startswith(b"SAME")
        if node.op_type == "Conv" and told and set(found["strides"].ints) == {1}:
            sizes, rates = found["kernel_shape"].ints, found["dilations"].ints
            totals = [(k - 1) * rate for k, rate in zip(sizes, rates, strict=True)]
            before = [total // 2 for total in totals]
            after = [total - total // 2 for total in totals]
            node.attribute.remove(found["auto_pad"])
            node.attribute.append(onnx.helper.make_attribute("pads", before + after))


def fold_constants(graph: Any) -> None:
    """Folds what multiplies or adds a constant a channel into the convolution before.

    That is a batch norm, wherever TensorFlow has not folded it.

    Args:
        graph: A `GraphProto`; it is changed.
    """
    constants = {each.name: each for each in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    readers = collections.Counter(name for node in graph.node for name in node.input)
    for node in list(graph.node):
        conv = makers.get(node.input[0]) if node.input else None
        operand = constants.get(node.input[1]) if len(node.input) == 2 else None
        if (
            node.op_type in _FOLDS
            and conv is not None
            and conv.op_type == "Conv"
            and operand is not None
            and readers[node.input[0]] == 1
        ):
            _fold(graph, conv, node, constants)
            makers[node.output[0]] = conv
    _drop_unread(graph)


def _fold(graph: Any, conv: Any, node: Any, constants: dict[str, Any]) -> None:
    from onnx import numpy_helper

    kernel, *bias = (numpy_helper.to_array(constants[name]) for name in conv.input[1:])
    operand = numpy_helper.to_array(constants[node.input[1]])
    folded = _FOLDS[node.op_type](
        kernel,
        bias[0] if bias else np.zeros(len(kernel), kernel.dtype),
        np.broadcast_to(operand.ravel(), len(kernel)),
    )
    names = [f"{node.output[0]}/{what}" for what in ("kernel", "bias")]
    for name, value in zip(names, folded, strict=True):
        constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        graph.initializer.append(constants[name])
    conv.input[1:] = names
    conv.output[0] = node.output[0]
    graph.node.remove(node)


def _scaled(kernel: Array, bias: Array, factor: Array) -> tuple[Array, Array]:
    return kernel * factor[:, None, None, None], bias * factor


def _shifted(kernel: Array, bias: Array, offset: Array) -> tuple[Array, Array]:
    return kernel, bias + offset


_FOLDS = {"Mul": _scaled, "Add": _shifted}


def _drop_unread(graph: Any) -> None:
    read = {name for node in graph.node for name in node.input}
    for tensor in [each for each in graph.initializer if each.name not in read]:
        graph.initializer.remove(tensor)
