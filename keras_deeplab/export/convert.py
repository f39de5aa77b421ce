"""From a graph to the bytes of a TFLite file."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.export.answer_resizes import answer_resizes
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.input_form import InputForm
from keras_deeplab.export.output_form import OutputForm
from keras_deeplab.export.quantization import Quantization
from keras_deeplab.export.rounding_noise import noisy_nodes

# Of the answer, which stays float when the network is 8-bit, its resizes too: labels
# that are taken from 8-bit logits tie. A float resize within the network would round
# as the processor does, and what follows it would differ between machines.
_FLOAT_OPERATIONS = ["ARG_MAX", "SOFTMAX", "LOGISTIC"]


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

    coarse = graph.coarse
    weights = [
        [ops.convert_to_numpy(variable) for variable in variables]
        for variables in (coarse.trainable_variables, coarse.non_trainable_variables)
    ]

    def answer(image: Tensor) -> Tensor:
        # Weights that are constants need no file, and are all that TFLite knows.
        constants = [[tf.constant(value) for value in values] for values in weights]
        network_input = inputs.network_input(image)
        logits, _ = coarse.stateless_call(*constants, network_input, training=False)
        return outputs.head(graph, logits, inputs.pixels(image))

    shape = (1, *graph.model.input_shape[1:])
    image = tf.TensorSpec(shape, inputs.dtype, name="image")
    with tracing_for_tflite():
        return tf.function(answer, autograph=False).get_concrete_function(image)


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
