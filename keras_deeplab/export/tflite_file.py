"""Changes to a TFLite file: its input's dtype, its metadata."""

from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from keras_deeplab.export.export_error import ExportError
from keras_deeplab.export.input_form import InputForm

_IDENTIFIER = b"TFL3"


def read_model(content: bytes) -> Any:
    """Unpacks a TFLite file into the objects of its schema."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def write_model(model: Any) -> bytes:
    """Packs what `read_model` returned."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def take_bytes(model: Any, traced: InputForm) -> None:
    """Makes the input of an 8-bit graph the pixels themselves, uint8.

    The graph begins by storing its float input in 8 bits. It does the same to pixels,
    once a scale and a zero point tell it which number each of them stands for.

    Args:
        model: What `read_model` returned; it is changed.
        traced: What the graph takes so far.

    Raises:
        ExportError: If the graph begins in another way.
    """
    graph = model.subgraphs[0]
    (index,) = graph.inputs
    readers = [op for op in graph.operators if index in op.inputs]
    codes = {_code(model, op) for op in readers}
    if codes != {schema.BuiltinOperator.QUANTIZE}:
        raise ExportError("The 8-bit graph does not begin with its input in 8 bits.")
    tensor = graph.tensors[index]
    tensor.type = schema.TensorType.UINT8
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = [1 / traced.std]
    tensor.quantization.zeroPoint = [round(traced.mean[0])]


def add_signature(model: Any, output: str) -> None:
    """Names the input and the output of the graph, for those who ask by name.

    Args:
        model: What `read_model` returned; it is changed.
        output: The output's name; the input is named `image`.
    """
    graph = model.subgraphs[0]
    signature = schema.SignatureDefT()
    signature.signatureKey = "serving_default"
    signature.inputs = [_mapping("image", graph.inputs[0])]
    signature.outputs = [_mapping(output, graph.outputs[0])]
    signature.subgraphIndex = 0
    model.signatureDefs = [signature]


def add_metadata(model: Any, name: str, content: bytes) -> None:
    """Adds a named buffer to a file.

    Args:
        model: What `read_model` returned; it is changed.
        name: The metadata's name.
        content: The metadata.
    """
    buffer = schema.BufferT()
    buffer.data = list(content)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = name
    entry.buffer = len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]


def _mapping(name: str, index: int) -> Any:
    mapping = schema.TensorMapT()
    mapping.name = name
    mapping.tensorIndex = index
    return mapping


def _code(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)
