"""The TFLite operations that each atrous convolution becomes, as a Markdown table.

    python benchmarks/tflite_operations.py

A row is a convolution, batch norm and ReLU, converted by itself: `ConvBlock` of
this package and, to compare, the layers of Keras.
"""

import collections
import contextlib
import io
import itertools
import os
from collections.abc import Iterator

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from keras_deeplab.layers import ConvBlock

OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items()}
CHANNELS = 8


def ours(kind: str, rate: int) -> list[keras.layers.Layer]:
    filters = None if kind == "depthwise" else CHANNELS
    return [ConvBlock(filters, rate=rate, separable=kind == "separable")]


def of_keras(kind: str, rate: int) -> list[keras.layers.Layer]:
    settings = {"padding": "same", "dilation_rate": rate, "use_bias": False}
    convs = {
        "conv": lambda: keras.layers.Conv2D(CHANNELS, 3, **settings),
        "depthwise": lambda: keras.layers.DepthwiseConv2D(3, **settings),
        "separable": lambda: keras.layers.SeparableConv2D(CHANNELS, 3, **settings),
    }
    return [convs[kind](), keras.layers.BatchNormalization(), keras.layers.ReLU()]


def operations(
    layers: list[keras.layers.Layer], side: int | None, batch: int | None
) -> collections.Counter[str]:
    """How often each operation stands in the converted model."""
    inputs = keras.Input((side, side, CHANNELS), batch_size=batch)
    model = keras.Sequential([inputs, *layers])
    with contextlib.redirect_stdout(io.StringIO()):
        content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    file = schema.Model.GetRootAs(content, 0)
    graph = file.Subgraphs(0)
    found = (graph.Operators(i) for i in range(graph.OperatorsLength()))
    codes = (file.OperatorCodes(operator.OpcodeIndex()) for operator in found)
    return collections.Counter(OPERATORS[code.BuiltinCode()] for code in codes)


def rows() -> Iterator[tuple[str, ...]]:
    kinds = ("conv", "depthwise", "separable")
    for kind, rate, side, batch in itertools.product(
        kinds, (1, 2, 6, 12), (33, None), (None, 1)
    ):
        shape = "unknown" if side is None else f"{side} x {side}"
        yield (
            kind,
            str(rate),
            shape,
            str(batch),
            *(
                ", ".join(
                    name if count == 1 else f"{count} {name}"
                    for name, count in sorted(
                        operations(make(kind, rate), side, batch).items()
                    )
                )
                for make in (ours, of_keras)
            ),
        )


def main() -> None:
    """Prints the table."""
    titles = ("Layer", "Rate", "Size", "Batch", "keras_deeplab", "Keras")
    for row in (titles, ["---"] * len(titles), *rows()):
        print("|", " | ".join(row), "|", flush=True)


if __name__ == "__main__":
    main()
