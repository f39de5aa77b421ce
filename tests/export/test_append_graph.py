"""One TFLite graph behind another, of a few operations each."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_deeplab.export import ExportError
from keras_deeplab.export.append_graph import append_graph
from keras_deeplab.export.tflite_file import read_model, write_model


def converted(function: object, **shapes: tuple[int, ...]) -> object:
    specs = [tf.TensorSpec(shape, name=name) for name, shape in shapes.items()]
    traced = tf.function(function).get_concrete_function(*specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], traced)
    return read_model(converter.convert())


@pytest.mark.filterwarnings("ignore")
def test_second_graph_reads_answer_and_input_of_the_first() -> None:
    weights = np.arange(6, dtype="float32").reshape(2, 3)
    first = converted(lambda image: tf.matmul(image, weights) + 1.0, image=(4, 2))
    second = converted(
        lambda coarse, image: tf.exp(-coarse) + 2.0 * image[:, :1],
        coarse=(4, 3),
        image=(4, 2),
    )
    (answer,), (image,) = first.subgraphs[0].outputs, first.subgraphs[0].inputs
    append_graph(first, second, {"coarse": answer, "image": image})
    interpreter = Interpreter(model_content=write_model(first))
    interpreter.allocate_tensors()
    (given,), (found,) = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    pixels = np.random.default_rng(0).uniform(0, 1, (4, 2)).astype("float32")
    interpreter.set_tensor(given["index"], pixels)
    interpreter.invoke()
    expected = np.exp(-(pixels @ weights + 1)) + 2 * pixels[:, :1]
    np.testing.assert_allclose(interpreter.get_tensor(found["index"]), expected, 1e-5)


@pytest.mark.filterwarnings("ignore")
def test_second_graph_of_several_is_refused() -> None:
    first = converted(lambda image: image + 1.0, image=(4,))

    def loop(coarse: tf.Tensor) -> tf.Tensor:
        return tf.while_loop(
            lambda x: tf.reduce_sum(x) < 9, lambda x: (x * 2.0,), [coarse]
        )[0]

    second = converted(loop, coarse=(4,))
    with pytest.raises(ExportError, match="without branches or loops"):
        append_graph(first, second, {"coarse": first.subgraphs[0].outputs[0]})
