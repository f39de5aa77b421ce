"""What a TFLite model holds, and what LiteRT answers with it."""

import collections
import pathlib

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

OPERATORS = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if name[0] != "_"
}


def convert(model: keras.Model) -> bytes:
    return tf.lite.TFLiteConverter.from_keras_model(model).convert()


def export(model: keras.Model, folder: pathlib.Path) -> bytes:
    path = folder / "model.tflite"
    model.export(path, format="litert", verbose=False)
    return path.read_bytes()


def operations(content: bytes) -> collections.Counter[str]:
    """How often each operation stands in the file."""
    model = schema.Model.GetRootAs(content, 0)
    assert model.SubgraphsLength() == 1
    graph = model.Subgraphs(0)
    codes = [
        model.OperatorCodes(graph.Operators(index).OpcodeIndex())
        for index in range(graph.OperatorsLength())
    ]
    return collections.Counter(OPERATORS[code.BuiltinCode()] for code in codes)


def run(content: bytes, inputs: np.ndarray) -> list[np.ndarray]:
    """The outputs in the order of the Keras model's."""
    interpreter = Interpreter(model_content=content)
    (details,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(details["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(details["index"], inputs)
    interpreter.invoke()
    # They are named output_0, output_1 and so on, and listed in any order.
    outputs = interpreter.get_signature_runner().get_output_details()
    indices = [
        outputs[name]["index"]
        for name in sorted(outputs, key=lambda name: int(name.rpartition("_")[2]))
    ]
    return [interpreter.get_tensor(index) for index in indices]
