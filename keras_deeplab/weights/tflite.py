"""Reads the convolutions of a float TFLite file."""

import io
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from keras_deeplab.weights.folded_conv import Array, FoldedConv
from keras_deeplab.weights.folded_graph import FoldedGraph

_IDENTIFIER = b"TFL3"
_OPERATORS = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if name[0] != "_"
}
_OPTIONS = {
    "CONV_2D": schema.Conv2DOptions,
    "DEPTHWISE_CONV_2D": schema.DepthwiseConv2DOptions,
    "AVERAGE_POOL_2D": schema.Pool2DOptions,
    "RESIZE_BILINEAR": schema.ResizeBilinearOptions,
}
# What a DeepLab graph without a decoder is made of.
_KNOWN = {*_OPTIONS, "ADD", "CONCATENATION"}


def read_tflite(path: Path) -> FoldedGraph:
    """Reads the convolutions of an official float TFLite model.

    Args:
        path: A `.tflite` file.

    Returns:
        The convolutions by scope, with strides and rates, the input size, the window
        of image pooling and the class names, if the file has a label file.

    Raises:
        ValueError: If the file is no TFLite model, is quantised, or holds operations
            or constants that a DeepLab model of the official form does not have.
    """
    graph = FoldedGraph(source=str(path), convolutions={})
    data = path.read_bytes()
    if data[4:8] != _IDENTIFIER:
        raise graph.error("the file is not a TFLite model")
    try:
        return _Reader(data, graph).read()
    except (struct.error, IndexError, TypeError, AttributeError, KeyError) as error:
        raise graph.error(f"the TFLite file is damaged ({error})") from error


class _Reader:
    """Walks the one subgraph of a TFLite file."""

    def __init__(self, data: bytes, graph: FoldedGraph) -> None:
        self.data = data
        self.error = graph.error
        self.source = graph.source
        self.model = schema.Model.GetRootAs(data, 0)
        self.subgraph = self.model.Subgraphs(0)
        self.used: set[int] = set()

    def read(self) -> FoldedGraph:
        image = self.subgraph.Tensors(self.subgraph.Inputs(0))
        if image.Type() != schema.TensorType.FLOAT32:
            raise self.error("it is quantised, and only float models can be loaded")
        convolutions: dict[str, FoldedConv] = {}
        window = None
        for name, operator, options in self._operators():
            if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
                conv = self._convolution(operator, options)
                convolutions[conv.kernel_name.rpartition("/")[0]] = conv
            elif name == "AVERAGE_POOL_2D":
                window = (options.FilterHeight(), options.FilterWidth())
            elif name == "RESIZE_BILINEAR" and not options.AlignCorners():
                raise self.error("it resizes without aligned corners")
        self._check_all_used()
        _, height, width, _ = (int(side) for side in image.ShapeAsNumpy())
        return FoldedGraph(
            source=self.source,
            convolutions=convolutions,
            input_size=(height, width),
            pooling_window=window,
            class_names=self._labels(),
        )

    def _operators(self) -> Iterator[tuple[str, Any, Any]]:
        for index in range(self.subgraph.OperatorsLength()):
            operator = self.subgraph.Operators(index)
            code = self.model.OperatorCodes(operator.OpcodeIndex())
            # Files of before 2020 hold the code in the deprecated field alone.
            name = _OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            if name not in _KNOWN:
                raise self.error(f"it has the operation {name}")
            options = None
            if name in _OPTIONS:
                options = _OPTIONS[name]()
                table = operator.BuiltinOptions()
                options.Init(table.Bytes, table.Pos)
            yield name, operator, options

    def _convolution(self, operator: Any, options: Any) -> FoldedConv:
        _, kernel, bias = (int(index) for index in operator.InputsAsNumpy())
        return FoldedConv(
            kernel=self._constant(kernel),
            bias=self._constant(bias),
            kernel_name=self._name(kernel),
            bias_name=self._name(bias),
            strides=options.StrideH(),
            rate=options.DilationHFactor(),
        )

    def _constant(self, index: int) -> Array:
        self.used.add(index)
        tensor = self.subgraph.Tensors(index)
        raw = self.model.Buffers(tensor.Buffer()).DataAsNumpy()
        if tensor.Type() != schema.TensorType.FLOAT32 or not isinstance(
            raw, np.ndarray
        ):
            raise self.error(f"tensor {self._name(index)!r} is not a float constant")
        return raw.view(np.float32).reshape(tensor.ShapeAsNumpy()).copy()

    def _name(self, index: int) -> str:
        return self.subgraph.Tensors(index).Name().decode()

    def _check_all_used(self) -> None:
        for index in range(self.subgraph.TensorsLength()):
            tensor = self.subgraph.Tensors(index)
            constant = self.model.Buffers(tensor.Buffer()).DataLength() > 0
            is_float = tensor.Type() == schema.TensorType.FLOAT32
            if constant and is_float and index not in self.used:
                raise self.error(f"tensor {self._name(index)!r} has no place in it")

    def _labels(self) -> tuple[str, ...] | None:
        # Metadata is a zip archive appended to the flatbuffer.
        try:
            with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
                name = next(n for n in archive.namelist() if n.endswith(".txt"))
                return tuple(archive.read(name).decode().strip().splitlines())
        except (zipfile.BadZipFile, StopIteration, UnicodeDecodeError):
            return None
