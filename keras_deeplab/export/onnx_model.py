"""An ONNX file, run by ONNX Runtime in the place of a Keras model."""

from pathlib import Path

from keras_deeplab.export.export_error import ExportError
from keras_deeplab.export.exported_model import Array, ExportedModel
from keras_deeplab.models import Segmenter


class OnnxModel(ExportedModel):
    """The one answer of an ONNX file, on the processor.

    Args:
        path: The file.
        model: The model that was exported.
        output_kind: What it answers: `"labels"`, `"probabilities"` or `"logits"`.

    Raises:
        ExportError: If ONNX Runtime does not know what is in the file.
    """

    def __init__(self, path: Path, model: Segmenter, output_kind: str) -> None:
        import onnxruntime

        super().__init__(model)
        self.output_kind = output_kind
        try:
            self._session = onnxruntime.InferenceSession(
                path, providers=["CPUExecutionProvider"]
            )
        # What it raises has no base class but this one.
        except Exception as error:
            raise ExportError(f"ONNX Runtime refuses the graph: {error}") from error

    def run(self, pixels: Array) -> Array:
        """The file's answer to uint8 pixels."""
        (answer,) = self._session.run(None, {"image": pixels})
        return answer
