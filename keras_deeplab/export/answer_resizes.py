"""Which resizes are of the answer, behind the network."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from keras_deeplab.export.tflite_file import operator_code, read_model

_RESIZE = schema.BuiltinOperator.RESIZE_BILINEAR
_CONVOLUTIONS = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
)


def answer_resizes(content: bytes) -> list[str]:
    """Names the resizes that no convolution reads, directly or by way of others.

    Args:
        content: A TFLite file.

    Returns:
        Names of their outputs.
    """
    model = read_model(content)
    graph = model.subgraphs[0]
    inside: set[int] = set()
    names = []
    # Operations stand in the order in which they run.
    for operator in reversed(graph.operators):
        code = operator_code(model, operator)
        if code in _CONVOLUTIONS or inside.intersection(operator.outputs):
            inside.update(operator.inputs)
        elif code == _RESIZE:
            names.append(_output_name(graph, operator))
    return names


def _output_name(graph: Any, operator: Any) -> str:
    return graph.tensors[operator.outputs[0]].name.decode()
