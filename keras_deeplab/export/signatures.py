"""What a SavedModel of this package answers."""

from typing import Any

import tensorflow as tf
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.label_strips import (
    dtype_of_labels,
    labels_by_rows,
    labels_of,
)
from keras_deeplab.export.photo_graph import PhotoGraph


class Signatures:
    """The functions of a SavedModel, and the weights and the network that they share.

    Args:
        graph: What is exported.
        most_pixels: The largest image that is decoded.
    """

    def __init__(self, graph: Graph, most_pixels: int) -> None:
        self._graph = graph
        self._network = graph.coarse
        self._photos = PhotoGraph(graph.model, self._logits, most_pixels)
        # All that is saved beside the signatures: of a module TensorFlow saves every
        # attribute, of Keras's network the weights once more. So these are copies.
        self.weights = tf.Module()
        self.weights.values = [
            [tf.Variable(ops.convert_to_numpy(value)) for value in values]
            for values in (
                self._network.trainable_variables,
                self._network.non_trainable_variables,
            )
        ]
        # One graph that all signatures call.
        pixels = tf.TensorSpec((None, *graph.model.input_shape[1:]), tf.float32)
        self._coarse = tf.function(self._coarse_logits, input_signature=[pixels])

    def concrete(self) -> dict[str, Any]:
        """Each signature by its name, traced."""
        shape = (None, *self._graph.model.input_shape[1:])
        image = tf.TensorSpec(shape, tf.uint8, name="image")
        content = tf.TensorSpec((None,), tf.string, name="image_bytes")
        signatures = {
            "serving_default": (self._labels, image),
            "probabilities": (self._probabilities, image),
            "serve_bytes": (self._serve_bytes, content),
        }
        return {
            name: tf.function(function).get_concrete_function(spec)
            for name, (function, spec) in signatures.items()
        }

    def _labels(self, image: Tensor) -> dict[str, Tensor]:
        pixels = tf.cast(image, tf.float32)
        if self._graph.crf is not None:
            answer = self._graph.full_probabilities(self._coarse(pixels), pixels)
            return {"labels": labels_of(answer)}
        size = tf.shape(pixels)[1:3]
        labels = tf.map_fn(
            lambda logits: labels_by_rows(logits, size),
            self._coarse(pixels),
            parallel_iterations=1,
            fn_output_signature=dtype_of_labels(self._graph.model.classes),
        )
        return {"labels": tf.ensure_shape(labels, image.shape[:3])}

    def _probabilities(self, image: Tensor) -> dict[str, Tensor]:
        pixels = tf.cast(image, tf.float32)
        answer = self._graph.full_probabilities(self._coarse(pixels), pixels)
        return {"probabilities": answer}

    def _serve_bytes(self, image_bytes: Tensor) -> dict[str, Tensor]:
        pngs = tf.map_fn(
            self._photos.labels_png,
            image_bytes,
            parallel_iterations=1,
            fn_output_signature=tf.string,
        )
        return {"labels_bytes": pngs}

    def _coarse_logits(self, pixels: Tensor) -> Tensor:
        inputs = self._graph.model.preprocess(pixels)
        logits, _ = self._network.stateless_call(
            *self.weights.values, inputs, training=False
        )
        return logits

    def _logits(self, pixels: Tensor) -> Tensor:
        return self._graph.full_logits(self._coarse(pixels), pixels)
