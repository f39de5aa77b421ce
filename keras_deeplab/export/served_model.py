"""A SavedModel, run by TensorFlow in the place of a Keras model."""

from typing import Any

import numpy as np

from keras_deeplab._types import Tensor
from keras_deeplab.models import Segmenter

Array = np.ndarray[Any, Any]


class ServedModel:
    """The signature `serving_default` of a SavedModel; a `Predictor`.

    Args:
        saved: What `tf.saved_model.load` returned.
        model: The model that was exported.
    """

    output_kind: str = "labels"

    def __init__(self, saved: Any, model: Segmenter) -> None:
        # Kept, or its variables would be gone.
        self._saved = saved
        self._signature = saved.signatures["serving_default"]
        self.classes: int = model.classes
        self.class_names: tuple[str, ...] | None = model.class_names
        self.crop_size: tuple[int, int] | None = model.crop_size
        self.resize_mode: str = model.resize_mode
        self.output_stride: int = model.output_stride
        self.input_shape: tuple[int | None, ...] = model.input_shape
        self.pad_pixel: tuple[float, float, float] = model.pad_pixel

    def preprocess(self, images: Tensor) -> Array:
        """RGB pixels of 0 to 255 as the signature takes them."""
        return np.asarray(images).round().astype("uint8")

    def run(self, pixels: Array) -> Array:
        """Labels of uint8 pixels."""
        import tensorflow as tf

        answer = self._signature(image=tf.constant(pixels))
        return answer["labels"].numpy()

    def predict_on_batch(self, x: Array) -> Array:
        """1 for the label of each pixel and 0 for other classes."""
        return np.eye(self.classes, dtype="float32")[self.run(x)]
