"""From a graph to the bytes of a TFLite file."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_deeplab.export.answer import answer_of
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.input_form import InputForm
from keras_deeplab.export.output_form import OutputForm
from keras_deeplab.export.quantization import Quantization
from keras_deeplab.export.rounding_noise import noisy_nodes

# Of the answer, which stay float when the network is 8-bit: labels that are taken from
# 8-bit logits tie, and LiteRT resizes floats faster than bytes.
_FLOAT_OPERATIONS = ["RESIZE_BILINEAR", "ARG_MAX", "SOFTMAX", "LOGISTIC"]


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
        traced = _traced(graph, inputs, outputs)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], traced)
        if quantization.optimize:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantization.half:
            converter.target_spec.supported_types = [tf.float16]
        if quantization.calibrated:
            converter.representative_dataset = lambda: ([x] for x in samples())
            return _calibrated(converter)
        return converter.convert()


def _traced(graph: Graph, inputs: InputForm, outputs: OutputForm) -> Any:
    from keras_deeplab.layers._tensorflow import tracing_for_tflite

    answer = tf.function(answer_of(graph, inputs, outputs), autograph=False)
    shape = (1, *graph.model.input_shape[1:])
    with tracing_for_tflite():
        return answer.get_concrete_function(
            tf.TensorSpec(shape, inputs.dtype, name="image")
        )


def _calibrated(converter: Any) -> bytes:
    lite = tf.lite.experimental
    options = lite.QuantizationDebugOptions(denylisted_ops=_FLOAT_OPERATIONS)
    debugger = lite.QuantizationDebugger(converter=converter, debug_options=options)
    if noisy := noisy_nodes(debugger.calibrated_model):
        debugger.options = lite.QuantizationDebugOptions(
            denylisted_ops=_FLOAT_OPERATIONS, denylisted_nodes=noisy
        )
    return debugger.get_nondebug_quantized_model()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
