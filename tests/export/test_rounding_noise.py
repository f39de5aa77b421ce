"""The noise that 8 bits make in a convolution, against rounding itself."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from keras_deeplab.export.rounding_noise import noisy_nodes
from keras_deeplab.export.tflite_file import operator_code, read_model, write_model

_CONVOLUTIONS = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
)
_CHANNELS = 4


class Chain:
    """Four convolutions; the second has large weights and its output is cut off."""

    def __init__(self, depthwise: bool) -> None:
        self.depthwise = depthwise
        random = np.random.default_rng(0)
        self.kernels = [
            scale * random.normal(size=(size, size, _CHANNELS, channels))
            for scale, size, channels in (
                (0.3, 1, _CHANNELS),
                (20.0, 3, 1 if depthwise else _CHANNELS),
                (0.2, 1, _CHANNELS),
                (0.1, 1, _CHANNELS),
            )
        ]
        self.image = random.uniform(-1, 1, (1, 24, 24, _CHANNELS))
        self.maps = [self.image, *map(np.asarray, self.run(tf.constant(self.image)))]

    def convolve(self, index: int, inputs: tf.Tensor) -> tf.Tensor:
        kernel = tf.cast(self.kernels[index], inputs.dtype)
        if index == 1 and self.depthwise:
            return tf.nn.depthwise_conv2d(inputs, kernel, [1, 1, 1, 1], "VALID")
        return tf.nn.conv2d(inputs, kernel, 1, "VALID")

    def run(self, inputs: tf.Tensor) -> list[tf.Tensor]:
        outputs = []
        for index in range(4):
            inputs = self.convolve(index, inputs)
            inputs = tf.nn.relu6(inputs) if index == 1 else inputs
            outputs.append(inputs)
        return outputs

    def noise(self, index: int) -> float:
        """What rounding the input to 255 steps adds, as a share of the output."""
        exact = self.maps[index]
        step = np.ptp(exact) / 255
        rounded = np.round(exact / step) * step
        added = self.convolve(index, rounded) - self.convolve(index, exact)
        return float(np.std(added) / np.ptp(self.maps[index + 1]))

    def file(self, factor: float = 1.0) -> tuple[bytes, list[str]]:
        """A float file with the ranges of all maps, and its convolutions' names."""
        spec = tf.TensorSpec(self.image.shape, tf.float32)
        traced = tf.function(lambda x: self.run(x)[-1]).get_concrete_function(spec)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], traced)
        model = read_model(converter.convert())
        graph = model.subgraphs[0]
        outputs = [
            operator.outputs[0]
            for operator in graph.operators
            if operator_code(model, operator) in _CONVOLUTIONS
        ]
        indices = [graph.inputs[0], *outputs]
        for index, values in zip(indices, self.maps, strict=True):
            ranges = schema.QuantizationParametersT()
            ranges.min = [factor * float(values.min())]
            ranges.max = [factor * float(values.max())]
            graph.tensors[index].quantization = ranges
        return write_model(model), [graph.tensors[i].name.decode() for i in outputs]


@pytest.mark.parametrize("depthwise", [True, False])
def test_convolution_is_noisy_from_what_rounding_its_input_adds(
    depthwise: bool,
) -> None:
    chain = Chain(depthwise)
    noise = chain.noise(1)
    assert noise > 0.02
    assert noise > 2 * max(chain.noise(index) for index in (0, 2, 3))
    file, names = chain.file()
    around = sorted(names[:3])
    assert noisy_nodes(file) == around
    assert noisy_nodes(file, 0.93 * noise) == around
    assert noisy_nodes(file, 1.07 * noise) == []


def test_noise_is_a_share_whatever_the_scale_of_the_ranges() -> None:
    chain = Chain(depthwise=True)
    file, names = chain.file(factor=10.0)
    assert noisy_nodes(file, 0.93 * chain.noise(1)) == sorted(names[:3])
    assert noisy_nodes(file, 1.07 * chain.noise(1)) == []


def test_convolution_without_ranges_is_not_judged() -> None:
    file, _ = Chain(depthwise=True).file()
    model = read_model(file)
    for tensor in model.subgraphs[0].tensors:
        tensor.quantization = None
    assert noisy_nodes(write_model(model), 0.0) == []
