"""Puts one TFLite graph behind another."""

from collections.abc import Mapping
from typing import Any

from keras_deeplab.export.export_error import ExportError


def append_graph(model: Any, behind: Any, feeds: Mapping[str, int]) -> None:
    """Makes the answer of a second graph, which reads from the first, that of both.

    Each was converted by itself, so that the numbers of the second are stored in its
    own way.

    Args:
        model: What `read_model` returned; it is changed.
        behind: The same of the second graph, of one subgraph.
        feeds: For each input of the second, by name, the tensor of the first that it
            stands for.

    Raises:
        ExportError: If the second graph has branches or loops.
    """
    if len(behind.subgraphs) > 1:
        raise ExportError(
            "What follows the network must be one graph, without branches or loops. "
            f"It was converted to {len(behind.subgraphs)} graphs."
        )
    graph, second = model.subgraphs[0], behind.subgraphs[0]
    buffers = _appended(model.buffers, behind.buffers)
    tensors = {-1: -1}
    for index, tensor in enumerate(second.tensors):
        if index in second.inputs:
            tensors[index] = feeds[tensor.name.decode()]
        else:
            tensors[index] = len(graph.tensors)
            tensor.buffer = buffers[tensor.buffer]
            graph.tensors.append(tensor)
    codes = _appended(model.operatorCodes, behind.operatorCodes)
    for operator in second.operators:
        operator.opcodeIndex = codes[operator.opcodeIndex]
        operator.inputs = [tensors[index] for index in operator.inputs]
        operator.outputs = [tensors[index] for index in operator.outputs]
        graph.operators.append(operator)
    graph.outputs = [tensors[index] for index in second.outputs]


def _appended(rows: list[Any], more: list[Any]) -> range:
    """Appends to a table, and tells where its new rows are."""
    start = len(rows)
    rows.extend(more)
    return range(start, len(rows))
