"""TFLite files, altered or made from nothing."""

import pathlib
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

OFFICIAL = "deeplabv3_257_mv_gpu.tflite"
OFFICIAL_WITH_LABELS = "deeplabv3_257_with_metadata.tflite"

TYPES = {"float32": schema.TensorType.FLOAT32, "int32": schema.TensorType.INT32}


def unpack(content: bytes) -> Any:
    """The file as objects that can be changed."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def pack(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def write_tflite(folder: pathlib.Path, content: bytes) -> pathlib.Path:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return path


def index_of(model: Any, name: str) -> int:
    names = [tensor.name for tensor in model.subgraphs[0].tensors]
    return names.index(name.encode())


def tensor_of(model: Any, name: str) -> Any:
    return model.subgraphs[0].tensors[index_of(model, name)]


def operator_of(model: Any, output: str) -> Any:
    """The operation that computes the tensor of that name."""
    index, operators = index_of(model, output), model.subgraphs[0].operators
    (found,) = [operator for operator in operators if operator.outputs[0] == index]
    return found


def set_values(model: Any, name: str, values: np.ndarray) -> None:
    """Gives a constant other values, and their shape."""
    tensor = tensor_of(model, name)
    tensor.shape, tensor.type = list(values.shape), TYPES[str(values.dtype)]
    model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)


def add_tensor(model: Any, name: str, values: np.ndarray) -> None:
    """Adds a constant, which no operation reads."""
    tensor = schema.TensorT()
    tensor.name, tensor.buffer = name.encode(), len(model.buffers)
    model.buffers.append(schema.BufferT())
    model.subgraphs[0].tensors.append(tensor)
    set_values(model, name, values)


def tiny_tflite() -> bytes:
    """The first convolution of an official model and nothing else."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers, model.subgraphs = 3, [], [graph]
    graph.tensors, graph.inputs, graph.outputs = [], [0], [3]
    add_tensor(model, "image", np.zeros((1, 9, 9, 3), "float32"))
    add_tensor(model, "MobilenetV2/Conv/weights", np.ones((2, 1, 1, 3), "float32"))
    add_tensor(model, "MobilenetV2/Conv/Conv2D_bias", np.ones(2, "float32"))
    add_tensor(model, "features", np.zeros((1, 9, 9, 2), "float32"))
    for name in ("image", "features"):
        model.buffers[tensor_of(model, name).buffer].data = None
    code, conv = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    model.operatorCodes, graph.operators = [code], [conv]
    conv.opcodeIndex, conv.inputs, conv.outputs = 0, [0, 1, 2], [3]
    conv.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
    conv.builtinOptions = schema.Conv2DOptionsT()
    return pack(model)
