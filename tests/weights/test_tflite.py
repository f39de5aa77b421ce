"""TFLite files: what loads, and every way in which a file can be wrong."""

import io
import pathlib
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from keras_deeplab.weights import load_model
from keras_deeplab.weights.array_archive import MOST_BYTES
from tests.weights.refusal import check_refused
from tests.weights.tflite_files import (
    OFFICIAL,
    add_tensor,
    index_of,
    operator_of,
    pack,
    set_values,
    tensor_of,
    unpack,
    write_tflite,
)

BLOCK = "MobilenetV2/expanded_conv_9"
KERNEL = f"{BLOCK}/depthwise/depthwise_weights"
BIAS = f"{BLOCK}/depthwise/depthwise_bias"
# Outputs of operations.
DEPTHWISE = f"{BLOCK}/depthwise/Relu6"
EXPAND = f"{BLOCK}/expand/Relu6"
SUM = f"{BLOCK}/add"


def options_of(model: Any, output: str) -> Any:
    return operator_of(model, output).builtinOptions


def test_unchanged_file_packed_anew_loads(
    official_tflite: bytes, tmp_path: pathlib.Path
) -> None:
    path = write_tflite(tmp_path, pack(unpack(official_tflite)))
    assert load_model(path).class_names[0] == "background"


def test_file_of_other_classes_loads_without_class_names(
    official_tflite: bytes, tmp_path: pathlib.Path
) -> None:
    model = unpack(official_tflite)
    set_values(model, "logits/semantic/weights", np.ones((19, 1, 1, 256), "float32"))
    set_values(model, "logits/semantic/Conv2D_bias", np.ones(19, "float32"))
    loaded = load_model(write_tflite(tmp_path, pack(model)))
    assert loaded.classes == 19
    assert loaded.class_names is None


def test_file_with_labels_of_its_own_loads_with_them(
    official_tflite: bytes, tmp_path: pathlib.Path
) -> None:
    names = [f"thing {index}" for index in range(21)]
    path = write_tflite(tmp_path, official_tflite + zipped("\n".join(names)))
    assert load_model(path).class_names == tuple(names)


@pytest.mark.parametrize("labels", ["one\ntwo\n", ""])
def test_file_with_labels_of_another_model_loads_without_class_names(
    labels: str, official_tflite: bytes, tmp_path: pathlib.Path
) -> None:
    path = write_tflite(tmp_path, official_tflite + zipped(labels))
    assert load_model(path).class_names is None


def test_file_at_output_stride_16_gives_that_model(
    official_tflite: bytes, tmp_path: pathlib.Path
) -> None:
    at_8 = load_model(write_tflite(tmp_path, official_tflite))
    model = unpack(official_tflite)
    for block in range(6, 17):
        options = options_of(
            model, f"MobilenetV2/expanded_conv_{block}/depthwise/Relu6"
        )
        options.strideH = options.strideW = 2 if block == 6 else 1
        rate = 2 if block > 13 else 1
        options.dilationHFactor = options.dilationWFactor = rate
    pool = options_of(model, "AvgPool2D/AvgPool")
    pool.filterHeight = pool.filterWidth = 17
    at_16 = load_model(write_tflite(tmp_path, pack(model)))
    assert at_16.output_stride == 16
    images = np.random.default_rng(0).uniform(-1, 1, (1, 257, 257, 3))
    expected = at_8.with_output_stride(16)(images)
    np.testing.assert_array_equal(at_16(images), expected)


def zipped(labels: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("labelmap.txt", labels)
    return file.getvalue()


def empty(model: Any, name: str) -> None:
    model.buffers[tensor_of(model, name).buffer].data = None


def remove_convolution(model: Any) -> None:
    """Takes one out, with its constants."""
    operators = model.subgraphs[0].operators
    operators.remove(operator_of(model, DEPTHWISE))
    for name in (KERNEL, BIAS):
        empty(model, name)
    # What read it reads what it read.
    read(model, f"{BLOCK}/project/BatchNorm/FusedBatchNorm", 0, EXPAND)


def set_all(thing: Any, **values: Any) -> None:
    for name, value in values.items():
        assert hasattr(thing, name)
        setattr(thing, name, value)


def set_code(model: Any, output: str, code: int) -> None:
    """Makes the operation that computes this tensor another one."""
    kind = schema.OperatorCodeT()
    set_all(kind, deprecatedBuiltinCode=min(code, 127), builtinCode=code)
    model.operatorCodes.append(kind)
    operator_of(model, output).opcodeIndex = len(model.operatorCodes) - 1


def reverse_inputs(model: Any, output: str) -> None:
    operator = operator_of(model, output)
    operator.inputs = operator.inputs[::-1]


def read(model: Any, output: str, position: int, name: str) -> None:
    """Makes the operation that computes this tensor read another one."""
    operator = operator_of(model, output)
    inputs = list(operator.inputs)
    inputs[position] = index_of(model, name)
    operator.inputs = inputs


ACTIVATION = schema.ActivationFunctionType
TYPE = schema.TensorType

DAMAGES: dict[str, tuple[Callable[[Any], object], str]] = {
    # Constants.
    "convolution_missing": (remove_convolution, "expanded_conv_9_depthwise"),
    "kernel_missing": (lambda m: empty(m, KERNEL), KERNEL),
    "bias_missing": (lambda m: empty(m, BIAS), BIAS),
    "extra": (lambda m: add_tensor(m, "extra", np.ones(3, "float32")), "'extra'"),
    "extra_int": (lambda m: add_tensor(m, "extra", np.ones(3, "int32")), "'extra'"),
    "kernel_misshapen": (
        lambda m: set_values(m, KERNEL, np.ones((1, 3, 3, 8), "float32")),
        KERNEL,
    ),
    "kernel_flat": (lambda m: set_all(tensor_of(m, KERNEL), shape=[-1]), KERNEL),
    "kernel_empty": (
        lambda m: set_all(tensor_of(m, KERNEL), shape=[0, 3, 3, 192]),
        KERNEL,
    ),
    "bias_misshapen": (lambda m: set_values(m, BIAS, np.ones(8, "float32")), BIAS),
    "kernel_relabelled": (
        lambda m: set_all(tensor_of(m, KERNEL), shape=[1, 3, 3, 10**9]),
        KERNEL,
    ),
    "kernel_half": (lambda m: set_all(tensor_of(m, KERNEL), type=TYPE.FLOAT16), KERNEL),
    "kernel_int": (lambda m: set_all(tensor_of(m, KERNEL), type=TYPE.INT32), KERNEL),
    "renamed": (
        lambda m: set_all(tensor_of(m, KERNEL), name=b"stage_9/depthwise/weights"),
        "'stage_9/depthwise'",
    ),
    "named_alike": (
        lambda m: set_all(tensor_of(m, KERNEL), name=f"{BLOCK}/expand/x".encode()),
        f"'{BLOCK}/expand' twice",
    ),
    "nameless": (lambda m: set_all(tensor_of(m, KERNEL), name=b""), "''"),
    "name_long": (lambda m: set_all(tensor_of(m, KERNEL), name=b"a" * 9**6), "''"),
    "name_no_text": (lambda m: set_all(tensor_of(m, KERNEL), name=b"\xff/a"), "\ufffd"),
    # Settings.
    "stride": (
        lambda m: set_all(options_of(m, DEPTHWISE), strideH=2, strideW=2),
        "strides=",
    ),
    "stride_moved": (
        lambda m: [
            set_all(options_of(m, DEPTHWISE), strideH=2, strideW=2),
            set_all(options_of(m, "MobilenetV2/Conv/Relu6"), strideH=1, strideW=1),
        ],
        "strides=",
    ),
    "stride_oblong": (
        lambda m: set_all(options_of(m, DEPTHWISE), strideW=2),
        f"{BLOCK}/depthwise",
    ),
    "stride_elsewhere": (
        lambda m: set_all(
            options_of(m, DEPTHWISE.replace("9", "2")), strideH=4, strideW=4
        ),
        "strides=",
    ),
    "stride_zero": (
        lambda m: set_all(options_of(m, DEPTHWISE), strideH=0, strideW=0),
        "strides multiply to 0",
    ),
    "stride_huge": (
        lambda m: set_all(options_of(m, DEPTHWISE), strideH=2**31 - 1),
        f"{BLOCK}/depthwise",
    ),
    "rate": (
        lambda m: set_all(
            options_of(m, DEPTHWISE), dilationHFactor=4, dilationWFactor=4
        ),
        "rate=4",
    ),
    "rate_oblong": (
        lambda m: set_all(options_of(m, DEPTHWISE), dilationHFactor=1),
        f"{BLOCK}/depthwise",
    ),
    "padding": (
        lambda m: set_all(options_of(m, DEPTHWISE), padding=schema.Padding.VALID),
        f"{BLOCK}/depthwise",
    ),
    "activation": (
        lambda m: set_all(
            options_of(m, DEPTHWISE), fusedActivationFunction=ACTIVATION.RELU
        ),
        "activation='relu'",
    ),
    "sum_activation": (
        lambda m: set_all(options_of(m, SUM), fusedActivationFunction=ACTIVATION.RELU),
        "ADD",
    ),
    "resize_alignment": (
        lambda m: set_all(options_of(m, "ResizeBilinear_3"), alignCorners=False),
        "aligned corners",
    ),
    "resize_half_pixels": (
        lambda m: set_all(options_of(m, "ResizeBilinear_3"), halfPixelCenters=True),
        "aligned corners",
    ),
    "pooling_window": (
        lambda m: set_all(options_of(m, "AvgPool2D/AvgPool"), filterHeight=17),
        "(17, 33)",
    ),
    "pooling_padding": (
        lambda m: set_all(
            options_of(m, "AvgPool2D/AvgPool"), padding=schema.Padding.SAME
        ),
        "pools",
    ),
    # Operations, and what they read.
    "operation_unknown": (
        lambda m: set_code(m, SUM, schema.BuiltinOperator.MUL),
        "MUL",
    ),
    "operation_custom": (
        lambda m: set_code(m, SUM, schema.BuiltinOperator.CUSTOM),
        "CUSTOM",
    ),
    "operation_of_the_future": (lambda m: set_code(m, SUM, 9999), "9999"),
    "operation_ordinary": (
        lambda m: set_code(m, DEPTHWISE, schema.BuiltinOperator.CONV_2D),
        f"{BLOCK}/depthwise",
    ),
    "code_missing": (
        lambda m: set_all(operator_of(m, SUM), opcodeIndex=10**6),
        "damaged",
    ),
    "options_missing": (
        lambda m: set_all(operator_of(m, DEPTHWISE), builtinOptions=None),
        "damaged",
    ),
    "sum_missing": (
        lambda m: read(m, "MobilenetV2/expanded_conv_10/expand/Relu6", 0, EXPAND),
        "expanded_conv_10/expand",
    ),
    "sum_of_others": (lambda m: read(m, SUM, 1, EXPAND), "expanded_conv_10/expand"),
    "sum_of_nothing_known": (
        lambda m: read(m, SUM, 1, "ResizeBilinear_3"),
        "expanded_conv_10/expand",
    ),
    "concatenated_the_other_way": (
        lambda m: reverse_inputs(m, "concat"),
        "concat_projection",
    ),
    "pooled_elsewhere": (
        lambda m: read(m, "AvgPool2D/AvgPool", 0, SUM),
        "image_pooling",
    ),
    "bias_of_another": (
        lambda m: read(m, DEPTHWISE, 2, f"{BLOCK}/expand/Conv2D_bias"),
        BIAS,
    ),
    "bias_not_read": (
        lambda m: set_all(
            operator_of(m, DEPTHWISE),
            inputs=[index_of(m, name) for name in (EXPAND, KERNEL)],
        ),
        "DEPTHWISE_CONV_2D without",
    ),
    "tensor_out_of_range": (
        lambda m: set_all(operator_of(m, DEPTHWISE), inputs=[0, 10**6, 10**6]),
        "",
    ),
    "output_elsewhere": (
        lambda m: set_all(m.subgraphs[0], outputs=[index_of(m, SUM)]),
        "'output'",
    ),
    # The graph as a whole.
    "graph_missing": (lambda m: set_all(m, subgraphs=[]), "damaged"),
    "graphs_many": (lambda m: m.subgraphs.append(m.subgraphs[0]), "one graph"),
    "input_missing": (lambda m: set_all(m.subgraphs[0], inputs=[]), "damaged"),
    "input_quantised": (
        lambda m: set_all(tensor_of(m, "sub_7"), type=TYPE.UINT8),
        "quantised",
    ),
    "input_of_four_channels": (
        lambda m: set_all(tensor_of(m, "sub_7"), shape=[1, 257, 257, 4]),
        "(1, 257, 257, 4)",
    ),
    "input_of_rank_3": (
        lambda m: set_all(tensor_of(m, "sub_7"), shape=[257, 257, 3]),
        "(257, 257, 3)",
    ),
    "input_of_unknown_size": (
        lambda m: set_all(tensor_of(m, "sub_7"), shapeSignature=[1, -1, -1, 3]),
        "fixed size",
    ),
    "input_huge": (
        lambda m: set_all(tensor_of(m, "sub_7"), shape=[1, 2**30, 2**30, 3]),
        "fixed size",
    ),
    "input_of_another_size": (
        lambda m: set_all(tensor_of(m, "sub_7"), shape=[1, 513, 513, 3]),
        "(65, 65)",
    ),
    "operations_many": (
        lambda m: set_all(m.subgraphs[0], operators=m.subgraphs[0].operators * 20),
        "operations",
    ),
    "tensors_many": (
        lambda m: m.subgraphs[0].tensors.extend([tensor_of(m, SUM)] * 1000),
        "tensors",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_file_damaged_in_any_way_is_refused_by_name(
    damage: str, official_tflite: bytes, tmp_path: pathlib.Path
) -> None:
    change, mention = DAMAGES[damage]
    model = unpack(official_tflite)
    change(model)
    check_refused(write_tflite(tmp_path, pack(model)), mention)


def test_quantised_official_files_are_refused(official: pathlib.Path) -> None:
    paths = sorted(official.glob("*_quant.tflite"))
    assert len(paths) == 3
    for path in paths:
        check_refused(path, "quantised")


def test_file_cut_short_anywhere_is_refused(
    official_tflite: bytes, tmp_path: pathlib.Path
) -> None:
    # The last 8 bytes hold a number that no reader needs.
    whole = len(official_tflite) - 8
    cuts = np.linspace(0, whole - 1, 40).astype(int)
    for cut in {*cuts.tolist(), *range(0, 100, 7), *range(whole - 100, whole, 7)}:
        check_refused(write_tflite(tmp_path, official_tflite[:cut]))


@pytest.mark.parametrize(
    "content", [b"", b"TFL3", b"text\n" * 100, bytes(1000), b"\xff" * 1000]
)
def test_file_that_is_no_tflite_is_refused(
    content: bytes, tmp_path: pathlib.Path
) -> None:
    check_refused(write_tflite(tmp_path, content), "not a TFLite model")


@pytest.mark.parametrize("rest", [b"", bytes(1000), b"\xff" * 1000, b"\x08\0\0\0" * 99])
def test_file_with_nothing_behind_its_identifier_is_refused(
    rest: bytes, tmp_path: pathlib.Path
) -> None:
    check_refused(write_tflite(tmp_path, b"\x1c\0\0\0TFL3" + rest))


def test_file_with_damaged_labels_is_refused(
    official_tflite: bytes, tmp_path: pathlib.Path
) -> None:
    archive = zipped("a\n" * 21).replace(b"a\na", b"b\na")
    check_refused(write_tflite(tmp_path, official_tflite + archive), "labelmap.txt")


def test_file_that_is_too_large_is_refused_unread(tmp_path: pathlib.Path) -> None:
    path = tmp_path / OFFICIAL
    with path.open("wb") as file:
        # A hole, which takes no space.
        file.truncate(MOST_BYTES + 1)
    check_refused(path, str(MOST_BYTES))
