"""An export in the place of the Keras model that it was made of."""

from typing import Any

import numpy as np

from keras_deeplab._types import Tensor
from keras_deeplab.models import Segmenter

Array = np.ndarray[Any, Any]


class ExportedModel:
    """An export that takes uint8 pixels; a `Predictor`.

    Args:
        model: The model that was exported.
    """

    def __init__(self, model: Segmenter) -> None:
        self.classes: int = model.classes
        self.class_names: tuple[str, ...] | None = model.class_names
        self.crop_size: tuple[int, int] | None = model.crop_size
        self.resize_mode: str = model.resize_mode
        self.output_stride: int = model.output_stride
        self.input_shape: tuple[int | None, ...] = model.input_shape
        self.pad_pixel: tuple[float, float, float] = model.pad_pixel

    def preprocess(self, images: Tensor) -> Array:
        """RGB pixels of 0 to 255 as the export takes them."""
        return np.asarray(images).round().astype("uint8")

    def run(self, pixels: Array) -> Array:
        """The export's own answer to uint8 pixels, `(batch, height, width, 3)`."""
        raise NotImplementedError

    def predict_on_batch(self, x: Array) -> Array:
        """Values of each class: the answer, or 1 for its label and 0 for others."""
        answer = self.run(x)
        if answer.ndim == 4:
            return answer
        return np.eye(self.classes, dtype="float32")[answer]
