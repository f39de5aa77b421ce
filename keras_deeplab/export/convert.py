"""From a graph to the bytes of a TFLite file."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_deeplab._types import Tensor
from keras_deeplab.export.answer import answer_of
from keras_deeplab.export.answer_resizes import answer_resizes
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.input_form import InputForm
from keras_deeplab.export.output_form import OutputForm
from keras_deeplab.export.quantization import Quantization
from keras_deeplab.export.rounding_noise import noisy_nodes
from keras_deeplab.export.split_pyramid import with_split_pyramids

# Of the answer, which stays float when the network is 8-bit, its resizes too: labels
# that are taken from 8-bit logits tie. A float resize within the network would round
# as the processor does, and what follows it would differ between machines.
_FLOAT_OPERATIONS = ["RESHAPE", "GATHER", "PACK", "ARG_MAX", "SOFTMAX", "LOGISTIC"]


def convert(
    graph: Graph,
    inputs: InputForm,
    outputs: OutputForm,
    quantization: Quantization,
    samples: Callable[[], Iterable[np.ndarray[Any, Any]]],
) -> bytes:
    """Converts a model of fixed size, with what stands before and behind it.

    Args:
        graph: The model.
        inputs: What the graph takes.
        outputs: What it answers.
        quantization: How its numbers are stored.
        samples: Gives inputs of the graph, `(1, height, width, 3)`, for the ranges of
            its activations.

    Returns:
        The TFLite file.
    """
    with _quiet():
        network = graph.coarse
        if not quantization.calibrated:
            # Of 8 bits the two parts of the sum would be rounded one by one.
            network = with_split_pyramids(network)
        traced = _traced(network, graph, inputs, outputs)
        converter = _converter(traced, quantization.optimize, quantization.half)
        if quantization.calibrated:
            converter.representative_dataset = lambda: ([x] for x in samples())
            return _calibrated(converter)
        return converter.convert()


def convert_answer(
    graph: Graph, inputs: InputForm, outputs: OutputForm, half: bool
) -> bytes:
    """Converts what stands behind the network, in float.

    Args:
        graph: The model.
        inputs: What the whole graph takes.
        outputs: What it answers.
        half: Whether constants are stored in half precision.

    Returns:
        A TFLite file that takes `coarse`, the network's logits, and `image`.
    """

    def answer(coarse: Tensor, image: Tensor) -> Tensor:
        return outputs.head(graph, coarse, inputs.pixels(image))

    shape = (1, *graph.model.input_shape[1:])
    specs = (
        tf.TensorSpec((1, *graph.coarse.output_shape[1:]), tf.float32, name="coarse"),
        tf.TensorSpec(shape, inputs.dtype, name="image"),
    )
    with _quiet():
        traced = tf.function(answer, autograph=False).get_concrete_function(*specs)
        return _converter(traced, half, half).convert()


def _traced(
    network: keras.Model, graph: Graph, inputs: InputForm, outputs: OutputForm
) -> Any:
    from keras_deeplab.layers._tensorflow import tracing_for_tflite

    answer = tf.function(answer_of(network, graph, inputs, outputs), autograph=False)
    shape = (1, *graph.model.input_shape[1:])
    with tracing_for_tflite():
        return answer.get_concrete_function(
            tf.TensorSpec(shape, inputs.dtype, name="image")
        )


def _converter(traced: Any, optimize: bool, half: bool) -> Any:
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], traced)
    if optimize:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if half:
        converter.target_spec.supported_types = [tf.float16]
    return converter


def _calibrated(converter: Any) -> bytes:
    lite = tf.lite.experimental
    options = lite.QuantizationDebugOptions(denylisted_ops=_FLOAT_OPERATIONS)
    debugger = lite.QuantizationDebugger(converter=converter, debug_options=options)
    calibrated = debugger.calibrated_model
    if names := noisy_nodes(calibrated) + answer_resizes(calibrated):
        debugger.options = lite.QuantizationDebugOptions(
            denylisted_ops=_FLOAT_OPERATIONS, denylisted_nodes=names
        )
    return debugger.get_nondebug_quantized_model()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
