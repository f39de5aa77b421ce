"""Reads the convolutions of a float TFLite file."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from keras_deeplab.weights.array_archive import read_appended_labels
from keras_deeplab.weights.folded_conv import Array, ConvSettings, FoldedConv
from keras_deeplab.weights.folded_graph import IMAGE, OUTPUT, POOL, FoldedGraph

_IDENTIFIER = b"TFL3"


def _names(enum: type) -> dict[int, str]:
    return {code: name for name, code in vars(enum).items() if name[0] != "_"}


_OPERATORS = _names(schema.BuiltinOperator)
_ACTIVATIONS = {**_names(schema.ActivationFunctionType), 0: "LINEAR"}

# What a DeepLab graph without a decoder is made of.
_OPTIONS = {
    "ADD": schema.AddOptions,
    "AVERAGE_POOL_2D": schema.Pool2DOptions,
    "CONCATENATION": schema.ConcatenationOptions,
    "CONV_2D": schema.Conv2DOptions,
    "DEPTHWISE_CONV_2D": schema.DepthwiseConv2DOptions,
    "RESIZE_BILINEAR": schema.ResizeBilinearOptions,
}

# More than any official graph has. A damaged file may claim billions.
_MOST_PARTS = 1000
_MOST_PIXELS = 8192
_LONGEST_NAME = 256


def read_tflite(path: Path) -> FoldedGraph:
    """Reads the convolutions of an official float TFLite model.

    Args:
        path: A `.tflite` file.

    Returns:
        All that a `FoldedGraph` holds; class names only if the file has a label file.

    Raises:
        ValueError: If the file is no TFLite model, is quantised, or holds operations
            or constants that a DeepLab model of the official form does not have. A
            damaged file raises anything.
    """
    data = path.read_bytes()
    if data[4:8] != _IDENTIFIER:
        raise ValueError("the file is not a TFLite model")
    return _Reader(data).read()


class _Reader:
    """Walks the one subgraph of a TFLite file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.model = schema.Model.GetRootAs(data, 0)
        self.subgraph = self.model.Subgraphs(0)
        self.convolutions: dict[str, FoldedConv] = {}
        self.inputs: dict[str, tuple[str, ...]] = {}
        self.window: tuple[int, int] | None = None
        # Constants that some operation reads.
        self.used: set[int] = set()
        # What each tensor was computed from, as in `FoldedGraph.inputs`.
        self.origins: dict[int, tuple[str, ...]] = {self.subgraph.Inputs(0): (IMAGE,)}

    def read(self) -> FoldedGraph:
        input_size = self._input_size()
        if self.model.SubgraphsLength() != 1:
            raise ValueError("it has more than one graph")
        for name, operator, options in self._operators():
            index, *others = (int(index) for index in operator.InputsAsNumpy())
            if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
                origin = self._convolution(name, index, others, options)
            elif name == "RESIZE_BILINEAR":
                origin = self._resize(index, others, options)
            elif name == "AVERAGE_POOL_2D":
                origin = self._pool(index, options)
            else:
                origin = self._merge(name, [index, *others], options)
            self.origins[operator.Outputs(0)] = origin
        self.inputs[OUTPUT] = self._origin(self.subgraph.Outputs(0))
        self._check_all_used()
        return FoldedGraph(
            convolutions=self.convolutions,
            inputs=self.inputs,
            input_size=input_size,
            pooling_window=self.window,
            class_names=read_appended_labels(self.data),
        )

    def _input_size(self) -> tuple[int, int]:
        image = self.subgraph.Tensors(self.subgraph.Inputs(0))
        if image.Type() != schema.TensorType.FLOAT32:
            raise ValueError("it is quantised, and only float models can be loaded")
        shape = tuple(image.ShapeAsNumpy().tolist())
        fixed = image.ShapeSignatureIsNone() or min(image.ShapeSignatureAsNumpy()) > 0
        sane = len(shape) == 4 and all(0 < side <= _MOST_PIXELS for side in shape)
        if not (fixed and sane) or (shape[0], shape[3]) != (1, 3):
            raise ValueError(f"its input is not one image of fixed size but {shape}")
        return shape[1], shape[2]

    def _operators(self) -> Iterator[tuple[str, Any, Any]]:
        for index in range(_checked(self.subgraph.OperatorsLength(), "operations")):
            operator = self.subgraph.Operators(index)
            code = self.model.OperatorCodes(operator.OpcodeIndex())
            # Files of before 2020 hold the code in the deprecated field alone.
            name = _OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            if name not in _OPTIONS:
                raise ValueError(f"it has the operation {name}")
            options, table = _OPTIONS[name](), operator.BuiltinOptions()
            options.Init(table.Bytes, table.Pos)
            yield name, operator, options

    def _convolution(
        self, name: str, features: int, constants: list[int], options: Any
    ) -> tuple[str, ...]:
        if len(constants) != 2:
            raise ValueError(f"it has the operation {name} without kernel and bias")
        kernel, bias = constants
        scope = self._name(kernel).rpartition("/")[0]
        if scope in self.convolutions:
            raise ValueError(f"it has {scope!r} twice")
        self.convolutions[scope] = FoldedConv(
            kernel=self._constant(kernel),
            bias=self._constant(bias),
            kernel_name=self._name(kernel),
            bias_name=self._name(bias),
            settings=ConvSettings(
                strides=_square(scope, options.StrideH(), options.StrideW()),
                rate=_square(
                    scope, options.DilationHFactor(), options.DilationWFactor()
                ),
                depthwise=name == "DEPTHWISE_CONV_2D",
                activation=_activation(options),
            ),
        )
        if options.Padding() != schema.Padding.SAME:
            raise ValueError(f"{scope!r} does not pad")
        self.inputs[scope] = self._origin(features)
        return (scope,)

    def _resize(
        self, features: int, constants: list[int], options: Any
    ) -> tuple[str, ...]:
        self.used.update(constants)
        if not options.AlignCorners() or options.HalfPixelCenters():
            raise ValueError("it resizes without aligned corners")
        return self._origin(features)

    def _pool(self, features: int, options: Any) -> tuple[str, ...]:
        self.window = (options.FilterHeight(), options.FilterWidth())
        plain = _activation(options) == "linear"
        if options.Padding() != schema.Padding.VALID or not plain:
            raise ValueError("it pools with padding or an activation")
        return (POOL, *self._origin(features))

    def _merge(self, name: str, features: list[int], options: Any) -> tuple[str, ...]:
        if _activation(options) != "linear":
            raise ValueError(f"it has an activation in the operation {name}")
        # Without doubles, or a malicious file grows them without end.
        scopes = dict.fromkeys(s for index in features for s in self._origin(index))
        return tuple(sorted(scopes) if name == "ADD" else scopes)

    def _origin(self, index: int) -> tuple[str, ...]:
        return self.origins.get(index, ())

    def _constant(self, index: int) -> Array:
        self.used.add(index)
        tensor = self.subgraph.Tensors(index)
        name, shape = self._name(index), tuple(tensor.ShapeAsNumpy().tolist())
        raw = self.model.Buffers(tensor.Buffer()).DataAsNumpy()
        if tensor.Type() != schema.TensorType.FLOAT32 or isinstance(raw, int):
            raise ValueError(f"tensor {name!r} is not a float constant")
        if raw.size != 4 * math.prod(shape):
            raise ValueError(f"tensor {name!r} has {raw.size} bytes for shape {shape}")
        return raw.view("<f4").reshape(shape)

    def _name(self, index: int) -> str:
        name = self.subgraph.Tensors(index).Name()
        return name[:_LONGEST_NAME].decode(errors="replace")

    def _check_all_used(self) -> None:
        for index in range(_checked(self.subgraph.TensorsLength(), "tensors")):
            tensor = self.subgraph.Tensors(index)
            constant = self.model.Buffers(tensor.Buffer()).DataLength() > 0
            if constant and index not in self.used:
                raise ValueError(f"tensor {self._name(index)!r} has no place in it")


def _checked(count: int, what: str) -> int:
    if count > _MOST_PARTS:
        raise ValueError(f"it has {count} {what}")
    return count


def _square(scope: str, height: int, width: int) -> int:
    if height != width:
        raise ValueError(f"{scope!r} has a stride or rate of {height} x {width}")
    return height


def _activation(options: Any) -> str:
    return _ACTIVATIONS[options.FusedActivationFunction()].lower()
