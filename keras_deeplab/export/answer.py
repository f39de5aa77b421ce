"""From what a caller has to what a caller wants, as one function to be traced."""

from collections.abc import Callable

import keras
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.input_form import InputForm
from keras_deeplab.export.output_form import OutputForm


def answer_of(
    network: keras.Model, graph: Graph, inputs: InputForm, outputs: OutputForm
) -> Callable[[Tensor], Tensor]:
    """Returns the function that a converter is to trace.

    Args:
        network: What makes the coarse logits: `graph.coarse`, or its equal.
        graph: The model.
        inputs: What the function takes.
        outputs: What it answers.

    Returns:
        A function of one image, or of a batch of them. The weights are constants of
        its trace: they need no file, and are all that TFLite and ONNX know.
    """
    weights = [
        [ops.convert_to_numpy(variable) for variable in variables]
        for variables in (network.trainable_variables, network.non_trainable_variables)
    ]

    def answer(image: Tensor) -> Tensor:
        constants = [list(map(ops.convert_to_tensor, values)) for values in weights]
        network_input = inputs.network_input(image)
        logits, _ = network.stateless_call(*constants, network_input, training=False)
        return outputs.head(graph, logits, inputs.pixels(image))

    return answer
