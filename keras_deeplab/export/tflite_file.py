"""Changes to a TFLite file: its input's dtype, its metadata."""

from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

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

    A scale and a zero point say which number each of them stands for. The graph begins
    by storing its float input in 8 bits, and does the same to bytes; where it begins in
    float, they are turned into floats first.

    Args:
        model: What `read_model` returned; it is changed.
        traced: What the graph takes so far.
    """
    graph = model.subgraphs[0]
    (index,) = graph.inputs
    old = graph.tensors[index]
    pixels = schema.TensorT()
    pixels.name = old.name
    pixels.shape, pixels.buffer = old.shape, 0
    pixels.type = schema.TensorType.UINT8
    pixels.quantization = schema.QuantizationParametersT()
    pixels.quantization.scale = [1 / traced.std]
    pixels.quantization.zeroPoint = [round(traced.mean[0])]
    graph.tensors.append(pixels)
    new = len(graph.tensors) - 1
    graph.inputs = [new]
    readers = [each for each in graph.operators if index in each.inputs]
    quantize = schema.BuiltinOperator.QUANTIZE
    if all(operator_code(model, reader) == quantize for reader in readers):
        for reader in readers:
            reader.inputs = [new]
    else:
        graph.operators.insert(0, _dequantize(model, new, index))


def _dequantize(model: Any, source: int, target: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    # Version 2 is the first of which both runtimes know uint8.
    code.version = 2
    model.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = [source], [target]
    return operator


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


def operator_code(model: Any, operator: Any) -> int:
    """Which of the schema's `BuiltinOperator` an operation is."""
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)
