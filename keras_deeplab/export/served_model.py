"""A SavedModel, run by TensorFlow in the place of a Keras model."""

from typing import Any

from keras_deeplab.export.exported_model import Array, ExportedModel
from keras_deeplab.models import Segmenter


class ServedModel(ExportedModel):
    """The signature `serving_default` of a SavedModel.

    Args:
        saved: What `tf.saved_model.load` returned.
        model: The model that was exported.
    """

    output_kind: str = "labels"

    def __init__(self, saved: Any, model: Segmenter) -> None:
        super().__init__(model)
        # Kept, or its variables would be gone.
        self._saved = saved
        self._signature = saved.signatures["serving_default"]

    def run(self, pixels: Array) -> Array:
        """Labels of uint8 pixels."""
        import tensorflow as tf

        answer = self._signature(image=tf.constant(pixels))
        return answer["labels"].numpy()
