"""An atrous convolution is one operation wherever it is exported to TFLite."""

import collections
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_deeplab._types import Rate
from keras_deeplab.layers import AtrousConv, AtrousDepthwiseConv, ConvBlock
from keras_deeplab.layers._tensorflow import tracing_for_tflite
from tests.checks import pixels, randomize
from tests.layers import litert

FORMS = {
    "conv": {"filters": 3},
    "depthwise": {"filters": None},
    "separable": {"filters": 3, "separable": True},
}
RATES: tuple[Rate, ...] = (1, 2, 6, 12, (18, 3))
# Of one block in each form.
OPERATIONS = collections.Counter(CONV_2D=2, DEPTHWISE_CONV_2D=2)

CONVERTERS = {
    "converter": lambda model, folder: litert.convert(model),
    "litert": litert.export,
}

every_shape = pytest.mark.parametrize(
    ("size", "batch"), [(9, None), (9, 1), (None, None), (None, 1)]
)
every_converter = pytest.mark.parametrize("converter", CONVERTERS)


def blocks(
    size: int | None, batch: int | None, rates: tuple[Rate, ...], **kwargs: object
) -> keras.Model:
    """Every form at every rate side by side: a conversion is slow, a block is not."""
    inputs = keras.Input((size, size, 4), batch_size=batch)
    outputs = [
        ConvBlock(**form, rate=rate, **kwargs)(inputs)
        for rate in rates
        for form in FORMS.values()
    ]
    model = keras.Model(inputs, outputs)
    randomize(model)
    return model


def times(count: int) -> collections.Counter[str]:
    return collections.Counter({name: n * count for name, n in OPERATIONS.items()})


def check_answers(
    model: keras.Model, content: bytes, shape: tuple[int, ...] = (1, 9, 9, 4)
) -> None:
    inputs = pixels(shape)
    expected = model(inputs)
    if not isinstance(expected, list):
        expected = [expected]
    found = litert.run(content, inputs)
    assert len(found) == len(expected)
    for answer, truth in zip(found, expected, strict=True):
        np.testing.assert_allclose(answer, truth, rtol=1e-4, atol=1e-4)


@every_converter
@every_shape
def test_atrous_block_at_any_rate_and_shape_exports_as_one_operation(
    size: int | None, batch: int | None, converter: str, tmp_path: pathlib.Path
) -> None:
    model = blocks(size, batch, RATES)
    content = CONVERTERS[converter](model, tmp_path)
    # Batch norm and ReLU are inside the convolutions; nothing else is left.
    assert litert.operations(content) == times(len(RATES))
    check_answers(model, content)
    if size is None:
        check_answers(model, content, (batch or 2, 15, 10, 4))


@pytest.mark.parametrize(
    ("size", "padding", "pads"),
    [
        (9, "symmetric", 0),
        (9, "same", 0),
        (8, "symmetric", 1),
        (8, "same", 0),
        (None, "symmetric", 1),
        (None, "same", 0),
    ],
)
def test_strided_block_at_any_size_exports_with_a_pad_at_most(
    size: int | None, padding: str, pads: int
) -> None:
    rates = (1, 2, (1, 3))
    model = blocks(size, None, rates, strides=2, padding=padding)
    content = litert.convert(model)
    found = litert.operations(content)
    # The three forms share one.
    assert found.pop("PAD", 0) == pads * len(rates)
    assert found == times(len(rates))
    for side in (8, 9) if size is None else (size,):
        check_answers(model, content, (1, side, side, 4))


def test_bare_convolutions_with_bias_export_as_one_operation() -> None:
    inputs = keras.Input((None, None, 4))
    layers = [
        AtrousConv(3, rate=2, separable=True),
        AtrousConv(3, rate=3, use_bias=False),
        AtrousDepthwiseConv(rate=2),
    ]
    model = keras.Model(inputs, [layer(inputs) for layer in layers])
    randomize(model)
    content = litert.convert(model)
    assert litert.operations(content) == OPERATIONS
    check_answers(model, content)


def dilated_depthwise(path: pathlib.Path) -> list[tf.compat.v1.NodeDef]:
    """TensorFlow's native operation, which fails on a GPU and without oneDNN."""
    saved = tf.saved_model.load(str(path))
    graph = saved.signatures["serving_default"].graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    found = [node for node in nodes if node.op == "DepthwiseConv2dNative"]
    assert found
    return [node for node in found if max(node.attr["dilations"].list.i) > 1]


@pytest.fixture
def model() -> keras.Model:
    return blocks(None, None, (1, 2))


def test_saved_model_for_tensorflow_has_no_dilated_depthwise_operation(
    model: keras.Model, tmp_path: pathlib.Path
) -> None:
    model.export(tmp_path, verbose=False)
    assert not dilated_depthwise(tmp_path)


def test_saved_model_traced_for_tflite_converts_to_one_operation_a_layer(
    model: keras.Model, tmp_path: pathlib.Path
) -> None:
    with tracing_for_tflite():
        model.export(tmp_path / "lite", verbose=False)
    assert dilated_depthwise(tmp_path / "lite")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "lite"))
    content = converter.convert()
    assert litert.operations(content) == times(2)
    check_answers(model, content, (2, 12, 9, 4))
    # The block leaves nothing behind.
    model.export(tmp_path / "plain", verbose=False)
    assert not dilated_depthwise(tmp_path / "plain")


def test_eager_step_inside_the_block_keeps_its_gradient() -> None:
    layer = AtrousDepthwiseConv(rate=2)
    inputs = pixels((1, 9, 9, 4))

    def gradient() -> np.ndarray:
        with tf.GradientTape() as tape:
            score = tf.reduce_sum(layer(inputs) ** 2)
        return np.array(tape.gradient(score, layer.kernel.value))

    expected = gradient()
    with tracing_for_tflite():
        np.testing.assert_array_equal(gradient(), expected)
